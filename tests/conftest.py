from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests, and the commands that they run, keep charts in a folder of this session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIM2REAL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
