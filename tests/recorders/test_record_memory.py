import subprocess
import sys
import time

import pytest

from ambidex.benchmarks.speed.recording import PROC, PeakMemory

LIMIT = 400e6  # [B]
COMMAND = [
    *(sys.executable, "-c", "from ambidex.recorders.record_episodes import main; main()"),
    *"--task insertion --num-episodes 2 --workers 2 --video all --quiet --output-dir data".split(),
]


@pytest.mark.slow
@pytest.mark.skipif(not (PROC / "self/status").exists(), reason="peaks are read from /proc")
def test_no_worker_needs_more_than_400_mb_for_three_cameras_and_videos(tmp_path):
    with subprocess.Popen(COMMAND, cwd=tmp_path) as process:
        memory = PeakMemory(process.pid)
        while process.poll() is None:
            memory.look()
            time.sleep(0.05)
    assert process.returncode == 0
    assert len(list((tmp_path / "data" / "videos").glob("*.mp4"))) == 2
    peaks = memory.of_workers()
    assert 0 < peaks[0] < LIMIT, [f"{peak / 1e6:.0f} MB" for peak in peaks]
