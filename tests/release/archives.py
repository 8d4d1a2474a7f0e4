"""An archive in which everything has happened, written by a real publisher, commit by commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from redis import Redis

from evaluator.errors import Cause
from evaluator.identity import text_digest
from evaluator.records import Generation, Terms, Verdict
from leaderboard.records import AmendmentKind, Failure, Lane, Plan, State, Submission
from leaderboard.store import layout
from leaderboard.store.base import Operation, Revision, Store, Write
from leaderboard.store.layout import part_of
from leaderboard.store.local import LocalStore
from leaderboard.submissions.ledger import Ledger
from tests.builders import (
    TERMS,
    Answered,
    make_declaration,
    make_plan,
    make_report,
    make_scorecard,
    make_submission,
    make_user_scores,
    rows_of,
)
from tests.losing import let_hold_run_out
from worker.handover import Handover
from worker.lease import Leases
from worker.outbox import Outbox
from worker.publisher import Publisher

Commit = tuple[Operation, ...]
FAILURE = Failure(cause=Cause.LOAD_ERROR, message="It has no layers.", remedy="Add one.", log=("a line of a log",))
SHOWN, WITHHELD = make_declaration(), make_declaration(publish_answers=False)


def same_part(count: int) -> list[str]:
    """Returns names of models that share a file of the public data set."""
    part = part_of("org/model")
    found = ["org/model"]
    number = 0
    while len(found) < count:
        if part_of(name := f"org/twin-{number}") == part:
            found.append(name)
        number += 1
    return found


def replay(commits: Iterable[Commit], archive: Store) -> Revision:
    """Writes commits to another archive; returns its head."""
    for commit in commits:
        archive.commit(commit, "replayed")
    return archive.head()


class Site:
    """A ledger with workers and a publisher, whose commits to the archive are kept in their order."""

    def __init__(self, redis: Redis, folder: Path) -> None:
        let_hold_run_out(redis)
        self.redis, self.ledger, self.leases = redis, Ledger(redis), Leases(redis, 600)
        self.archive = LocalStore(folder)
        self.commits: list[Commit] = []
        self.publisher = Publisher(redis, self.ledger, self.archive, 0, lambda: 0.0, stored=self._stored)

    def _stored(self, operations: Sequence[Operation], _: Revision) -> None:
        self.commits.append(tuple(operations))

    def save(self) -> None:
        while self.publisher.step():
            pass

    def write(self, *operations: Operation) -> None:
        """What somebody else than the publisher does to the archive."""
        self.archive.commit(operations, "by hand")
        self.commits.append(operations)

    def enter(self, number: int, model: str, **changes: Any) -> Submission:
        submission = make_submission(number, model=model, revision=f"{number:040x}", **changes)
        self.ledger.create(submission)
        for run_id in submission.run_ids():
            self.ledger.advance(run_id, State.QUEUED, "alice")
        return submission

    def run(
        self, submission: Submission, judged: bool = True, terms: Terms = TERMS, text: str = "", words: str = ""
    ) -> None:
        """Lets workers do all runs of a submission; the model says `text` in each answer, and the judge `words`."""
        for run_id in submission.run_ids():
            plan = self.ledger.put_plan(make_plan(run_id, users=(1,), terms=terms))
            for lane in Lane if judged else (Lane.GENERATE,):
                self._work(plan, lane, said(rows_of(plan, plan.shards[0]), submission.model, terms, text, words))
                self.publisher.step()
        self.save()

    def _work(self, plan: Plan, lane: Lane, rows: Answered) -> None:
        lease = self.leases.claim(plan, "gpu-1", (lane,))
        assert lease
        hand = Handover(self.leases, lease, Outbox(self.redis))
        if lane is Lane.GENERATE:
            hand.generations(rows.generations)
        else:
            hand.verdicts(rows.verdicts)
        hand.finish(make_report(lane))
        self.leases.release(lease, forgive=True)

    def amend(self, submission: Submission, kind: AmendmentKind, **changes: Any) -> None:
        self.ledger.amend(self.ledger.history(submission.id), kind, "alice", "Because.", **changes)
        self.save()


def said(rows: Answered, model: str, terms: Terms, text: str, words: str) -> Answered:
    """Returns rows of some model under some terms, with `text` in its answers and `words` in the judge's."""
    answers, hashes = list[Generation](), dict[str | None, str]()
    for row in rows.generations:
        key = row.key.model_copy(update={"model": model})
        answer = f"{row.answer} {text}"
        hashes[row.content_hash] = text_digest(answer)
        changes = {"key": key, "input_key": key.digest(), "answer": answer, "content_hash": text_digest(answer)}
        answers.append(Generation(**(dict(row) | changes | {"terms": terms})))
    verdicts = list[Verdict]()
    for verdict in rows.verdicts:
        judged = verdict.key.model_copy(update={"content_hash": hashes[verdict.key.content_hash]})
        changes = {"key": judged, "verdict_key": judged.digest(), "completion": f"{verdict.completion} {words}"}
        verdicts.append(Verdict(**(dict(verdict) | changes | {"terms": terms})))
    return Answered(rows.item, tuple(answers), tuple(verdicts))


def everything(redis: Redis, folder: Path) -> Site:
    """A site where everything has happened that may happen to a submission; its workers wrote in between."""
    site, models = Site(redis, folder), same_part(4)
    both = ("demo-v1", "official-v1")
    published = site.enter(1, models[0], protocols=both)
    twin, corrected = site.enter(2, models[1]), site.enter(3, models[2], declaration=SHOWN)
    site.save()
    site.run(published)
    site.run(twin)
    site.run(corrected)
    site.amend(corrected, AmendmentKind.CORRECTED, declaration=WITHHELD)
    failed, cancelled = site.enter(4, models[0]), site.enter(5, "org/other")
    site.run(failed, judged=False)
    site.ledger.fail(failed.run_ids()[0], "gpu-1", FAILURE)
    site.ledger.cancel(cancelled.run_ids()[0], "alice", FAILURE)
    site.save()
    early, late = site.enter(6, "org/early"), site.enter(7, models[3])
    site.amend(early, AmendmentKind.WITHDRAWN)
    site.run(late)
    site.amend(late, AmendmentKind.WITHDRAWN)
    consenting = site.enter(8, "org/s-20260301-00000001", declaration=WITHHELD)
    site.run(consenting)
    site.amend(consenting, AmendmentKind.CORRECTED, declaration=SHOWN)
    broken = site.enter(9, "org/broken")
    site.run(broken)
    path = layout.compact_path(layout.verdicts_folder(broken.run_ids()[0]))
    sound = site.archive.read(path)
    site.write(Write(path, b"no Parquet"))
    _judge_again(site, published)
    _card_alone(site)
    site.write(Write(path, sound))
    open_run = site.enter(11, "org/open")
    site.run(open_run, judged=False)
    return site


def _judge_again(site: Site, submission: Submission) -> None:
    """A second judge's scorecard on a run that has one; of its verdicts there are none."""
    run_id = submission.run_ids()[0]
    card = make_scorecard(submission.model, 70.0, id=f"{run_id}@hicupid-llama-3.2-3b", judge="hicupid-llama-3.2-3b")
    card = card.model_copy(update={"submission_id": submission.id, "run_id": run_id})
    sums = make_user_scores(card)
    site.write(
        Write(layout.scorecard_path(card.model, card.id), card.model_dump_json().encode()),
        Write(layout.user_scores_path(card.model, card.id), sums.model_dump_json().encode()),
    )


def _card_alone(site: Site) -> None:
    """A scorecard in the archive whose submission was not saved yet."""
    card = make_scorecard("org/unsaved")
    site.write(Write(layout.scorecard_path(card.model, card.id), card.model_dump_json().encode()))
