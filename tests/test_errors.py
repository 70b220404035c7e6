"""Errors are one line, whatever names and reasons are in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim2real.errors import MissingFileError, Sim2RealError


@given(st.text())
def test_any_message_is_one_line_that_can_be_printed(message):
    said = str(Sim2RealError(message))
    assert len(said.splitlines()) <= 1 and said.isprintable()
    said.encode()
    if message.isprintable():
        assert said == message.strip()


def test_names_that_no_terminal_shows_are_shown_as_far_as_they_go():
    assert str(MissingFileError("a\nb\x1b[31m\udce9.obj")) == "file not found; check the path: a b\ufffd[31m\ufffd.obj"
