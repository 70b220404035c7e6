"""Start-up and the way out do without the collector of cycles; work does not."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from sim2real.cli import progress
from sim2real.cli.startup import starting


def test_cycles_are_collected_again_once_the_first_progress_is_reported():
    with progress.shown() as report, starting(ending=False):
        assert not gc.isenabled()
        report("rendering", 0, 1)
        assert gc.isenabled()


@pytest.mark.parametrize("reported", [False, True])
def test_whatever_a_command_does_the_collector_is_left_as_it_was(reported, capsys):
    frozen = gc.get_freeze_count()
    with pytest.raises(KeyboardInterrupt), progress.shown() as report, starting(ending=False):
        if reported:
            report("rendering", 0, 1)
        raise KeyboardInterrupt
    assert gc.isenabled() and gc.get_freeze_count() <= frozen


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with starting(ending=False):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("given, collects", [("", False), ("[]", True)])
def test_a_process_that_ends_with_its_command_collects_nothing_on_its_way_out(given, collects):
    script = f"import atexit, gc; atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 0)); main({given})"
    done = subprocess.run([sys.executable, "-c", f"from sim2real.cli import main; {script}"], capture_output=True, text=True)
    assert done.stdout.split() == [str(collects), str(not collects)] and done.stderr.startswith("Usage")
