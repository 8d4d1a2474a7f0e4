"""Writes rows as the public files that everyone reads."""

from __future__ import annotations

from evaluator.hicupid.outcomes import which_count
from leaderboard.open_data import files, layout
from leaderboard.open_data.views import open_generation, open_verdict
from tests.builders import make_declaration


def write_rows(folder, run_id, items, generations, verdicts, made_on=None, judge="demo", model="org/model"):
    """Writes a run's public files and returns their paths."""
    counting = which_count(items, generations, verdicts, made_on)
    by_question = {item.question_id: item for item in items}
    answers = [
        open_generation(row, by_question[row.key.question_id], counts, make_declaration(), run_id)
        for row, counts in zip(generations, counting.generations, strict=True)
        if row.key.question_id in by_question
    ]
    words = [
        open_verdict(row, counts, model, make_declaration(), run_id)
        for row, counts in zip(verdicts, counting.verdicts, strict=True)
    ]
    return (
        _write(folder / layout.generations_path(model, run_id), files.encode_generations(answers)),
        _write(folder / layout.verdicts_path(judge, model, run_id), files.encode_verdicts(words)),
    )


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
