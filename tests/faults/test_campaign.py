"""A short campaign: every fault at least once, in states drawn at random, and everything is accounted for."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign, Outcome
from tests.faults.clocks import library
from tests.faults.conftest import OpenSite
from tests.faults.faults import IMPOSSIBLE, OF_A_DISK, OF_THE_CLOCK, OF_THE_HUB, STATES, Cell, Fault, cells
from tests.faults.site import BOTH_SUITES, Plan, Site
from tests.hub_server import LocalHub

SEED = 20
LOCAL = [fault for fault in Fault if fault not in OF_THE_HUB]


def one_each(faults: list[Fault], chance: random.Random) -> list[Cell]:
    """Draws a cell for each fault."""
    drawn = [chance.choice(cells([fault])) for fault in faults]
    chance.shuffle(drawn)
    return drawn


def had_here(site: Site) -> list[Fault]:
    """The faults that can be done on this machine, with a store in a folder."""
    missing = (OF_A_DISK if not site.small else frozenset()) | (OF_THE_CLOCK if not library() else frozenset())
    return [fault for fault in LOCAL if fault not in missing]


def assert_all_is_well(outcome: Outcome, wanted: list[Cell]) -> None:
    found = outcome.account
    assert not outcome.missed
    assert [Cell(strike.fault, strike.state) for strike in outcome.strikes] == wanted
    assert found.bad == ()
    assert found.published + found.failed_with_cause == found.runs
    assert found.published, "nothing came through at all"


def test_every_fault_of_a_machine_leaves_everything_accounted_for(open_site: OpenSite) -> None:
    site = open_site(Plan(app=True, protocols=BOTH_SUITES))
    wanted = one_each(had_here(site), random.Random(SEED))
    campaign = Campaign(site, SEED, company=2)
    campaign.hit(wanted)
    assert_all_is_well(campaign.finish(), wanted)
    if left_out := {*LOCAL} - {cell.fault for cell in wanted}:
        pytest.skip(f"all but these, which this machine does not let us do: {sorted(left_out)}")


def test_every_fault_of_a_store_on_the_hub_leaves_everything_accounted_for(open_site: OpenSite, tmp_path: Path) -> None:
    with LocalHub(tmp_path / "hub") as hub:
        site = open_site(Plan(hub=hub))
        wanted = one_each(sorted(OF_THE_HUB), random.Random(SEED))
        campaign = Campaign(site, SEED, company=1)
        campaign.hit(wanted)
        assert_all_is_well(campaign.finish(), wanted)
    refused = {status for method, path, status in hub.answers if method == "POST" and "/commit/" in path}
    assert {412, 429, 500} <= refused


def test_cells_that_cannot_be_are_named_with_a_reason() -> None:
    assert len(cells(list(Fault))) == len(Fault) * len(STATES) - len(IMPOSSIBLE)
    assert all(IMPOSSIBLE.values())
