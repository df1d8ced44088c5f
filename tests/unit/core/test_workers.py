import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from osler.core.workers import worker_pool

PARENT = """
import os, signal, sys, time
from osler.core.workers import worker_pool
if __name__ == "__main__":
    with worker_pool(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 60)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def test_work_comes_back_in_order():
    with worker_pool(1) as pool:
        assert list(pool.map(abs, [-1, 2, -3])) == [1, 2, 3]


def test_an_error_of_the_work_is_raised():
    with pytest.raises(ZeroDivisionError), worker_pool(1) as pool:
        list(pool.map(divmod, [1], [0]))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_does_not_outlive_its_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == -9
    worker = int(done.stdout)
    limit = time.monotonic() + 5
    while is_running(worker) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not is_running(worker)
