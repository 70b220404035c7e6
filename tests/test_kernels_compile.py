import importlib
from pathlib import Path

import pytest
import warp as wp

import sim2real
from sim2real.devices import warp_ready

PACKAGE = Path(sim2real.__file__).parent
WITH_KERNELS = [file for file in PACKAGE.rglob("*.py") if "\n@wp.kernel\n" in file.read_text(encoding="utf-8")]
MODULES = sorted(".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in WITH_KERNELS)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_kernels_compile_for_cuda_on_a_machine_without_a_gpu(name, tmp_path):
    warp_ready()
    (ptx,) = wp.compile_aot_module(importlib.import_module(name), arch=90, module_dir=tmp_path, use_ptx=True)
    assert ".target sm_90" in ptx.read_text()
