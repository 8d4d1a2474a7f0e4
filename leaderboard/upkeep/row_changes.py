"""Takes an answer's text, or all that a person said, out of rows: what was found of an answer stays with its hash."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.items import content_of
from evaluator.identity import text_digest
from evaluator.records import Generation, Record, Verdict, verdict_version
from evaluator.setup import AnyItem
from leaderboard.records import Batch, Plan
from leaderboard.store import layout
from leaderboard.store.base import Operation, Write
from leaderboard.store.rows import encode_rows
from leaderboard.store.runs import StoredRun, large_files
from leaderboard.upkeep.records import TakedownKind


class Changes(NamedTuple):
    """What becomes of rows."""

    generation: Callable[[Generation], Generation]
    verdict: Callable[[Verdict], Verdict | None]
    """None takes the verdict out."""
    item: Callable[[AnyItem], AnyItem]
    """What was asked, with what people had said of it."""
    answer: str | None = None
    """Content hash of the answer whose text goes, if that is what goes."""

    def among(self, generations: Iterable[Generation], plan: Plan | None) -> Changes:
        """Returns the same for the verdicts of a run, which may be on pairs of its answers, or on parts of several.

        What a verifier reads of a user may come from any of the lists about that user: its words go with each of them.

        Args:
            generations: All answers of the run.
            plan: What it asked; None if nothing says that.
        """
        rows = [row for row in generations if row.content_hash is not None]
        hashes, one = {str(row.content_hash) for row in rows}, self.answer
        if one is None or one not in hashes:
            return self
        pairs = {content_of(*pair) for other in hashes for pair in ((one, other), (other, one))}
        lists = {row.key.question_id for row in rows if row.content_hash == one}
        users = {
            item.person
            for item in (plan.items if plan else ())
            if isinstance(item, HumanItem) and item.part is Part.CONVERSATION and item.question_id in lists
        }
        return self._replace(verdict=lambda row: without_words(row, {one, *pairs}, users))

    def of_plan(self, plan: Plan) -> Plan:
        """Returns what becomes of a plan; the very same if nothing in it changes."""
        items = tuple(map(self.item, plan.items))
        return plan if items == plan.items else plan.model_copy(update={"items": items})

    def of_batch(self, batch: Batch) -> Batch:
        """Returns what becomes of a batch."""
        return batch.model_copy(
            update={
                "generations": tuple(map(self.generation, batch.generations)),
                "verdicts": tuple(self.of_verdicts(batch.verdicts)),
            }
        )

    def of_verdicts(self, rows: Sequence[Verdict]) -> list[Verdict]:
        """Returns what becomes of verdicts."""
        return [changed for row in rows if (changed := self.verdict(row)) is not None]


def changes_of(kind: TakedownKind, name: str) -> Changes | None:
    """Returns what a takedown does to rows that stay; None if it does nothing to them.

    Args:
        kind: What is taken down.
        name: An answer's content hash, or a person's pseudonym.
    """
    if kind is TakedownKind.ANSWER:
        return Changes(
            lambda row: without_answer(row, name), lambda row: without_words(row, {name}), lambda item: item, name
        )
    if kind is TakedownKind.PERSON:
        return Changes(
            lambda row: row, lambda row: None if said_by(row, name) else row, lambda item: without_labels(item, name)
        )
    return None


def without_answer(row: Generation, content_hash: str) -> Generation:
    """Returns an answer without its text, if it is the one of this hash; all that was found of it stays."""
    if row.content_hash != content_hash or row.taken_down:
        return row
    gone = {"answer": None, "thought": None, "taken_down": True, "schema_version": 2}
    return Generation.model_validate(dict(row) | gone)


def without_words(row: Verdict, content_hashes: Collection[str], users: Collection[str] = ()) -> Verdict:
    """Returns a verdict on one of these without its rater's words, which may quote them; what it says stays.

    Args:
        row: The verdict.
        content_hashes: What it may be on.
        users: Users of whom attributes were extracted that it may be on.
    """
    concerned = row.key.content_hash in content_hashes or row.key.question_id in users
    if not concerned or row.taken_down is not None:
        return row
    version = verdict_version(row.outcome, taken_down=True)
    gone = {"completion": "", "taken_down": text_digest(row.completion), "schema_version": version}
    return Verdict.model_validate(dict(row) | gone)


def said_by(row: Verdict, person: str) -> bool:
    """Says whether a verdict is a person's of this pseudonym."""
    return row.rater_kind == "human" and row.key.rater == person


def without_labels(item: AnyItem, person: str) -> AnyItem:
    """Returns an item without what the person of this pseudonym said of it."""
    if not isinstance(item, HumanItem) or all(label.annotator != person for label in item.labels):
        return item
    return item.model_copy(update={"labels": tuple(label for label in item.labels if label.annotator != person)})


def change_run(run: StoredRun, plan: Plan | None, changes: Changes) -> list[Operation]:
    """Returns what changes a run's plan and rows where they lie, as one commit; nothing if none changes.

    `run` knows its rows as they are then.

    Args:
        run: The run.
        plan: What it asked; None if nothing says that.
        changes: What becomes of it.

    Raises:
        RapportError: `data_error` if something of the run cannot be read.
    """
    changes = changes.among((row for rows in run.generations.values() for row in rows), plan)
    new = plan and changes.of_plan(plan)
    generations = {name: list(map(changes.generation, rows)) for name, rows in run.generations.items()}
    verdicts = {name: changes.of_verdicts(rows) for name, rows in run.verdicts.items()}
    old_generations, old_verdicts = run.generations, run.verdicts
    if (new, generations, verdicts) == (plan, old_generations, old_verdicts):
        return []
    run.generations, run.verdicts = generations, verdicts
    if run.is_compacted and new is not None:
        return large_files(run, new)
    return [
        *([Write(layout.plan_path(run.run_id), new.model_dump_json().encode())] if new and new != plan else []),
        *_changed(layout.generations_folder(run.run_id), old_generations, generations),
        *_changed(layout.verdicts_folder(run.run_id), old_verdicts, verdicts),
    ]


def _changed(
    folder: str, before: Mapping[str, Sequence[Record]], after: Mapping[str, Sequence[Record]]
) -> Iterator[Operation]:
    """Yields the files of batches that changed."""
    for name, rows in after.items():
        if rows != before[name]:
            yield Write(layout.batch_path(folder, name), encode_rows(rows))
