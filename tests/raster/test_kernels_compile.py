from pathlib import Path

import pytest
import warp as wp

from sim2real.devices import warp_ready
from sim2real.flow import kernels as flow_kernels
from sim2real.raster import kernels as raster_kernels


@pytest.mark.parametrize("module", [raster_kernels, flow_kernels], ids=["raster", "flow"])
def test_kernels_compile_for_cuda_on_a_machine_without_a_gpu(module, tmp_path: Path) -> None:
    warp_ready()
    (ptx,) = wp.compile_aot_module(module, arch=90, module_dir=tmp_path, use_ptx=True)
    assert ".target sm_90" in ptx.read_text()
