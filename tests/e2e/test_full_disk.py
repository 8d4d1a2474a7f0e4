"""A disk that fills up in the middle of a run: the run says so and ends, although Redis can no longer write either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import eventually, running_demo
from tests.small_disk import NO_SMALL_DISK, small_disk


@pytest.fixture
def small_site(tmp_path: Path) -> Iterator[Path]:
    """A demo's folder whose data lie on a real file system of 300 MB."""
    (tmp_path / "data").mkdir()
    with small_disk(tmp_path / "data", "300m") as small:
        if not small:
            pytest.skip(NO_SMALL_DISK)
        yield tmp_path


def fill(folder: Path) -> None:
    """Writes until nothing fits any more."""
    with (folder / "filling").open("wb", buffering=0) as filling:
        while True:
            filling.write(b"\0" * 65536)


def test_a_disk_that_fills_up_ends_the_run_with_its_cause(small_site: Path, models: Path) -> None:
    with running_demo(small_site, models, "--once", "--model", "local/tiny") as demo:
        eventually(lambda: demo.stored() or None, "the first rows")
        with pytest.raises(OSError, match="No space left"):
            fill(small_site / "data")
        demo.process.communicate()

    assert demo.process.returncode == 1
    last = demo.log().strip().splitlines()[-1]
    assert last.startswith("rapport: disk_full: ")
    assert "Free some" in last
