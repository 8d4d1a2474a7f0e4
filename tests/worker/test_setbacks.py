"""Who stands aside when the store does not take something, who is tried together, and who is to blame in the end."""

from __future__ import annotations

from contextlib import suppress

import pytest

from evaluator.errors import RapportError
from leaderboard.store import StoreFull, StoreUnavailable
from worker.setbacks import STORE_PATIENCE_SECONDS, Setbacks

RUNS = [f"run-{number:02d}" for number in range(20)]


class Trial:
    """A store that takes no rows of one run, and one turn after the other."""

    def __init__(self, unwanted: str = "", *, away: bool = False) -> None:
        self.now, self.unwanted, self.away = 0.0, unwanted, away
        self.ended: list[str] = []
        self.setbacks = Setbacks(lambda: self.now, self.end)
        self.left = set(RUNS)

    def end(self, run_id: str, error: RapportError) -> None:
        self.ended.append(run_id)

    def turn(self) -> None:
        """Tries to store what may be stored at this turn."""
        self.now += 36.0
        self.setbacks.next_turn()
        tried = self.setbacks.takes(self.left)
        with suppress(StoreUnavailable), self.setbacks.watching(tried):
            if self.away or self.unwanted in tried:
                raise StoreUnavailable("/data/store", "permission denied")
            self.left -= tried


def test_a_store_that_was_away_soon_has_everything():
    trial = Trial(away=True)
    trial.turn()
    assert list(trial.setbacks) == RUNS
    trial.away = False
    turns = 0
    while trial.left:
        trial.turn()
        turns += 1
    assert turns <= 10, "1, 2, 4, 8 and the rest, and as many turns of others"
    assert (list(trial.setbacks), trial.ended) == ([], [])


@pytest.mark.parametrize("unwanted", [RUNS[0], RUNS[9], RUNS[19]])
def test_only_what_the_store_does_not_take_by_itself_is_to_blame(unwanted):
    trial = Trial(unwanted)
    for _ in range(80):
        trial.turn()
    assert trial.left == {unwanted}
    assert set(trial.ended) == {unwanted}


def test_nobody_ends_for_what_failed_while_others_were_tried_with_it():
    trial = Trial(away=True)
    trial.turn()
    trial.now += 2 * STORE_PATIENCE_SECONDS
    with pytest.raises(StoreUnavailable), trial.setbacks.watching(RUNS[:2]):
        raise StoreUnavailable("/data/store", "permission denied")
    assert trial.ended == []


def test_what_cannot_be_read_does_not_count_as_stored_once_it_can():
    trial = Trial(away=True)
    trial.turn()
    with trial.setbacks.blaming(RUNS[:1]):
        pass
    assert RUNS[0] in list(trial.setbacks)


def test_a_full_store_ends_all_whose_rows_it_did_not_take():
    trial = Trial()
    with pytest.raises(StoreFull), trial.setbacks.watching(RUNS[:2]):
        raise StoreFull("/data/store")
    assert trial.ended == RUNS[:2]
