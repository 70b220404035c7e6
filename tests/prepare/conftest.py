import pytest


@pytest.fixture(scope="session", autouse=True)
def _mitsuba():
    pytest.importorskip("mitsuba", reason="mitsuba is not installed (pip install 'sim2real[pathtrace]')")
