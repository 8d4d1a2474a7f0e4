"""Publishes an evaluation that lies in a folder, with the encoders that the publisher uses."""

from __future__ import annotations

from pathlib import Path

from evaluator.hicupid.outcomes import which_count
from evaluator.records import Generation, Verdict
from leaderboard.open_data import files, layout
from leaderboard.open_data.figures import open_card, open_scorecard, open_user_scores
from leaderboard.open_data.views import open_generation, open_verdict
from leaderboard.records import Plan
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from tests.ranked import rank
from worker.local.folder import Folder, read_kept, read_lines


def publish(evaluation: Path, data: Path, *, consent: bool = True) -> Scorecard:
    """Writes the public results of an evaluation below a data folder.

    Args:
        evaluation: Folder that `rapport evaluate` has written.
        data: Laid out as RAPPORT_DATA is.
        consent: Whether the answers may be shown.
    """
    folder = Folder(evaluation)
    card, users = read_kept(folder.scorecard, Scorecard), read_kept(folder.user_scores, UserScores)
    assert card is not None
    assert users is not None
    said = card.declaration.model_copy(update={"publish_answers": consent})
    plan = read_kept(folder.plan, Plan)
    assert plan is not None
    items = {item.question_id: item for item in plan.items}
    answers, words = read_lines(folder.generations, Generation), read_lines(folder.verdicts, Verdict)
    counting = which_count(plan.items, answers, words)
    generations = [
        open_generation(row, items[row.key.question_id], counts, said, card.run_id)
        for row, counts in zip(answers, counting.generations, strict=True)
    ]
    verdicts = [
        open_verdict(row, counts, card.model, said, card.run_id)
        for row, counts in zip(words, counting.verdicts, strict=True)
    ]
    board = [open_scorecard(row, card) for row in rank([card], {card.id: users.users})]
    contents = {
        layout.BOARD: files.encode_board(board),
        layout.scorecards_path(card.model): files.CARDS.encode([open_card(card)]),
        layout.user_scores_path(card.model): files.USER_SCORES.encode(open_user_scores(card, users)),
        layout.generations_path(card.model, card.run_id): files.encode_generations(row for row in generations if row),
        layout.verdicts_path(card.judge, card.model, card.run_id): files.encode_verdicts(
            row for row in verdicts if row
        ),
    }
    writes = [Write(path, content) for path, content in contents.items()]
    LocalStore(data / "results").commit(writes, "a result")
    return card
