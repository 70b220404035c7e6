"""Jobs are done once, by whoever comes first, and errors reach all who ask."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sim2real.live.jobs import Job


def test_a_job_that_nobody_has_begun_is_done_by_the_one_who_asks():
    done = []
    job = Job(lambda: done.append(threading.get_ident()) or 7)
    assert job.result() == 7 and job.result() == 7
    job.run()
    assert done == [threading.get_ident()]


def test_a_job_that_another_thread_has_begun_is_waited_for():
    begun, go_on = threading.Event(), threading.Event()

    def work():
        begun.set()
        assert go_on.wait(10)
        return threading.get_ident()

    job = Job(work)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(job.run)
        assert begun.wait(10)
        threading.Timer(0.05, go_on.set).start()
        assert job.result() != threading.get_ident()


def test_errors_reach_all_who_ask():
    job = Job(lambda: 1 / 0)
    job.run()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            job.result()


def test_torch_computes_in_one_thread_meanwhile_and_in_as_many_as_before_afterwards():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert Job(torch.get_num_threads).result() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
