from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("ci")  # a red run repeats; --hypothesis-profile nightly draws other examples every time

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers share the cores: threads of torch would fight for them


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests, and the commands that they run, keep charts in a folder of this session (of this worker, where there are some)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIM2REAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
