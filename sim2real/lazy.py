"""Values of an object that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 (used as a decorator, like property)
    """A property that is computed once and kept; for objects of which one thread at a time asks.

    ``functools.cached_property`` would do, but before Python 3.12 it has one lock for all objects of a class: threads that
    render a frame each would wait for each other.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute, self._name = compute, compute.__name__
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object, owner: type) -> once[T] | T:
        """Compute and keep; from then on the instance's own attribute is found first."""
        if instance is None:
            return self
        kept = vars(instance)[self._name] = self._compute(instance)
        return kept
