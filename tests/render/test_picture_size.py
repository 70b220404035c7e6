from __future__ import annotations

import pytest

from sim2real.errors import BadValueError
from sim2real.render.plan import _check_memory


def test_pictures_that_no_memory_holds_are_refused_with_an_estimate():
    _check_memory((2160, 3840))
    with pytest.raises(BadValueError, match="100000x100000, of which a frame needs about 2000 GB of memory, must be at most"):
        _check_memory((100000, 100000))
