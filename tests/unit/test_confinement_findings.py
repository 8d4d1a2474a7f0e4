"""What `rapport doctor` says of how far a worker's engines are confined, on every kind of machine."""

from __future__ import annotations

import pytest

from leaderboard.cli.findings import Mark
from leaderboard.cli.redis_findings import confinement_finding

NETWORK, HOME, USER, NO_MORE = "no network", "no home", "own user", "no new privileges"


@pytest.mark.parametrize(
    ("confined", "mark", "held", "missing", "remedy"),
    [
        ((NETWORK, HOME, USER, NO_MORE), Mark.FINE, "no network, no home, own user, no new privileges", None, ""),
        ((NO_MORE, HOME, NETWORK), Mark.NOTE, "no network, no home, no new privileges", "own user", "Only a worker"),
        ((NETWORK, NO_MORE), Mark.NOTE, "no network, no new privileges", "no home, own user", "Allow it user name"),
        ((NO_MORE,), Mark.NOTE, "no new privileges", "no network, no home, own user", "Allow it user namespaces"),
        ((), Mark.NOTE, "nothing", "no network, no home, own user, no new privileges", "Allow it user namespaces"),
    ],
    ids=["root", "user", "docker with apparmor", "docker without the profile", "elsewhere"],
)
def test_it_says_which_parts_hold_which_do_not_and_what_to_do(
    confined: tuple[str, ...], mark: Mark, held: str, missing: str | None, remedy: str
) -> None:
    found = confinement_finding(confined)

    assert found.mark is mark
    assert found.message == f"Its engines are confined to: {held}{f'; not to: {missing}' if missing else ''}."
    assert found.remedy.startswith(remedy)
    assert bool(found.remedy) is bool(missing)
