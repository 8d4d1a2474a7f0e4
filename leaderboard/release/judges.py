"""What is public of judges beside what they are: what was worked out of them, and what canaries say."""

from __future__ import annotations

from collections.abc import Mapping

from leaderboard.judge_board.desk import read_checks, read_qualities
from leaderboard.open_data import files, layout
from leaderboard.open_data.judge_views import open_checks, open_quality
from leaderboard.store.base import Store


def judge_files(archive: Store) -> Mapping[str, bytes]:
    """Returns the public files that follow from what an archive holds of judges, by path.

    What cannot be read is logged and left out; `rapport store check` finds it.

    Raises:
        StoreError: If the archive as a whole cannot be read.
    """
    return {
        layout.JUDGE_QUALITY: files.encode_quality(map(open_quality, read_qualities(archive))),
        layout.JUDGE_CHECKS: files.encode_checks(open_checks(read_checks(archive))),
    }
