"""Twenty sessions on one server: each keeps its own state, and none stays behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow  # twenty tabs take the processors for most of a minute
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium: apt-get install chromium")
def test_twenty_sessions_play_at_once_and_leave_nothing_behind():
    command = [sys.executable, "-m", "benchmarks.soak", "--sessions", "20", "--steps", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["wrong"] == []
    assert (report["quarters"], report["different"], report["left"]) == (40, 20, 0)
    assert done.returncode == 0
