import importlib
from pathlib import Path

import pytest
import warp as wp

import sim2real
from sim2real.devices import warp_ready

PACKAGE = Path(sim2real.__file__).parent
MODULES = sorted(".".join(f.relative_to(PACKAGE.parent).with_suffix("").parts) for f in PACKAGE.rglob("*kernels.py"))


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_kernels_compile_for_cuda_on_a_machine_without_a_gpu(name, tmp_path):
    warp_ready()
    (ptx,) = wp.compile_aot_module(importlib.import_module(name), arch=90, module_dir=tmp_path, use_ptx=True)
    assert ".target sm_90" in ptx.read_text()
