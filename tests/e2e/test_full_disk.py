"""A disk that fills up in the middle of a run: the run says so and ends, although Redis can no longer write either."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import eventually, running_demo


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 300 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a file system")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_disk_that_fills_up_ends_the_run_with_its_cause(small_disk: Path, models: Path) -> None:
    with running_demo(small_disk, models, "--once", "--model", "local/tiny") as demo:
        eventually(lambda: demo.stored() or None, "the first rows")
        with (small_disk / "filling").open("wb", buffering=0) as filling, pytest.raises(OSError, match="space"):
            while True:
                filling.write(b"\0" * 65536)
        demo.process.communicate()

    assert demo.process.returncode == 1
    # The log lies on the full disk: what matters is that the command ended, and why, as far as it could be written.
    assert "published" not in demo.log()
    publisher = (small_disk / "data" / "logs" / "publish.log").read_text(encoding="utf-8", errors="replace")
    assert "no free disk" in publisher or "disk is full" in publisher or not (small_disk / "data" / ".reserve").exists()
