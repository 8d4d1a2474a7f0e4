"""The endpoints of the API: typed values in, records out, by the same service, reader and permissions as the pages.

A parameter called `person` is filled in on the server, never by who calls. The first line of a docstring is what the
API says of an endpoint.
"""

# No `from __future__ import annotations`: Gradio reads what is returned from the signature as it stands.

from typing import Annotated, Any

from pydantic import Field
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.api.comparing import comparison, stored_sums
from leaderboard.api.records import (
    AgreementPage,
    BoardPage,
    Checklist,
    Comparison,
    Logs,
    Submission,
    SubmissionPage,
    Submitted,
)
from leaderboard.api.telling import agreement_of, checklist_of, logs_of, row_of, submission_of, summary_of
from leaderboard.board.build import order_under_judge, scorecard_of
from leaderboard.board.human_gaps import without_gap
from leaderboard.checks.records import CheckRequest
from leaderboard.checks.run import report
from leaderboard.checks.surroundings import surroundings_of
from leaderboard.pages.reader import Found, Reader
from leaderboard.people import Person
from leaderboard.records import Declaration, Relation, TrainingData
from leaderboard.settings import Settings
from leaderboard.store.base import Store
from leaderboard.submissions.actions import told
from leaderboard.submissions.service import SubmissionService, declaration_of
from leaderboard.submissions.views import SubmissionView

ROWS_A_PAGE = 200
AGREEMENT_A_PAGE = 50
"""Each row has some thirty figures."""

Model = Annotated[str, Field(max_length=200)]
Revision = Annotated[str, Field(max_length=100)]
Id = Annotated[str, Field(max_length=40)]
RunId = Annotated[str, Field(max_length=200)]
Reason = Annotated[str, Field(max_length=1000)]
About = Annotated[str, Field(max_length=200)]
Number = Annotated[int, Field(ge=1, le=10**9)]


class Endpoints:
    """One method an endpoint, under its name; each raises `RapportError` as what it asks does."""

    def __init__(
        self, settings: Settings, reader: Reader, store: Store, service: SubmissionService | None, redis: Redis | None
    ) -> None:
        """Answers for a site.

        Args:
            settings: Of the site.
            reader: What the pages read with.
            store: Where users' sums lie.
            service: The way in; None closes it.
            redis: Where checks look for workers, quotas and earlier submissions.
        """
        self._settings, self._reader, self._store = settings, reader, store
        self._service, self._redis = service, redis

    def check(
        self,
        person: Person,
        model: Model,
        revision: Revision = "",
        adapter: Model = "",
        adapter_revision: Revision = "",
        thinking: bool = False,
    ) -> Checklist:
        """Looks a model over without downloading its weights; submits nothing. Needs a login."""
        self._open()
        request = CheckRequest(
            model.strip(),
            _filled(revision),
            _filled(adapter),
            _filled(adapter_revision),
            self._settings.protocols,
            thinking,
        )
        return checklist_of(report(request, surroundings_of(self._settings, self._redis, person)))

    def submit(
        self,
        person: Person,
        model: Model,
        revision: Revision = "",
        adapter: Model = "",
        adapter_revision: Revision = "",
        relation: Relation = Relation.NONE,
        base_model: Model = "",
        training_data: TrainingData = TrainingData.UNKNOWN,
        thinking: bool = False,
        publish_answers: bool = True,
    ) -> Submitted:
        """Submits a model; what is known already leads to what covers it. Needs a login."""
        service = self._open()
        declaration = declaration_of(
            relation=relation,
            base_model=_filled(base_model),
            training_data=training_data,
            thinking=thinking,
            publish_answers=publish_answers,
        )
        view = service.submit(
            model,
            _filled(revision),
            declaration,
            person,
            adapter=_filled(adapter),
            adapter_revision=_filled(adapter_revision),
        )
        beside = {each.protocol: each.submission_id for each in service.beside(view)}
        return Submitted(**submission_of(view), beside=beside)

    def status(self, submission_id: Id) -> Submission:
        """Tells where a submission is, how far, what is expected, and what has happened to it."""
        found = self._found(submission_id)
        return submission_of(_view(found), found.outlooks, found.logs)

    def logs(self, submission_id: Id) -> Logs:
        """Gives the last lines that the engines of a submission's runs have written, without secrets."""
        found = self._found(submission_id)
        return logs_of(_view(found), found.logs)

    def submissions(self, page: Number = 1) -> SubmissionPage:
        """Lists all submissions, newest first, page by page."""
        listing = self._reader.listing(page)
        return SubmissionPage(
            page=listing.number,
            pages=listing.last,
            total=listing.total,
            submissions=[summary_of(view) for view in listing.views],
            problems=list(listing.problems),
        )

    def cancel(self, person: Person, submission_id: Id, reason: Reason = "") -> Submission:
        """Stops the runs of a submission; what is finished is kept. Needs a login."""
        return submission_of(self._open().cancel(submission_id.strip(), person, reason))

    def retry(self, person: Person, submission_id: Id) -> Submission:
        """Takes up again what failed or was cancelled, where it stopped. Needs a login."""
        return submission_of(self._open().retry(submission_id.strip(), person))

    def withdraw(self, person: Person, submission_id: Id, reason: Reason) -> Submission:
        """Takes the results of a submission off the board, for good. Needs a login and a reason."""
        return submission_of(self._open().withdraw(submission_id.strip(), person, reason))

    def correct(
        self,
        person: Person,
        submission_id: Id,
        reason: Reason = "",
        relation: Relation | None = None,
        base_model: Model | None = None,
        training_data: TrainingData | None = None,
        publish_answers: bool | None = None,
    ) -> Submission:
        """Corrects what was declared of a model; what is null stays as it was. Needs a login."""
        service, name = self._open(), submission_id.strip()
        given = {"relation": relation, "training_data": training_data, "publish_answers": publish_answers}
        changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
        if base_model is not None:
            changes["base_model"] = _filled(base_model)
        return submission_of(service.correct(name, person, changed(service.view(name).declaration, changes), reason))

    def dispute(self, person: Person, submission_id: Id, reason: Reason, about: About = "") -> Submission:
        """Says that a verdict, or something else about a result, is wrong. Needs a login and a reason."""
        return submission_of(self._open().dispute(submission_id.strip(), person, reason, _filled(about)))

    def answer(self, person: Person, submission_id: Id, reason: Reason, about: About = "") -> Submission:
        """Answers a dispute. For maintainers, who log in with a browser."""
        return submission_of(self._open().answer(submission_id.strip(), person, reason, _filled(about)))

    def lift(self, person: Person, submission_id: Id, reason: Reason = "") -> Submission:
        """Puts a submission before all others. For maintainers, who log in with a browser."""
        return submission_of(self._open().lift(submission_id.strip(), person, reason))

    def pause(self, person: Person, submission_id: Id, reason: Reason = "") -> Submission:
        """Keeps workers from a submission. For maintainers, who log in with a browser."""
        return submission_of(self._open().pause(submission_id.strip(), person, reason))

    def resume(self, person: Person, submission_id: Id, reason: Reason = "") -> Submission:
        """Ends a pause. For maintainers, who log in with a browser."""
        return submission_of(self._open().resume(submission_id.strip(), person, reason))

    def board(self, protocol: Model = "", page: Number = 1, judge: Model = "") -> BoardPage:
        """Gives the main figures of the board's rows, ranked ones first, of all protocols and judges or of one."""
        board, problems = self._reader.board()
        rows = [row for row in board.rows if protocol in ("", row.protocol) and judge in ("", row.judge)]
        if judge:
            rows.sort(key=order_under_judge)
        pages = max(1, -(-len(rows) // ROWS_A_PAGE))
        number = min(page, pages)
        return BoardPage(
            revision=board.revision,
            page=number,
            pages=pages,
            total=len(rows),
            rows=[row_of(row) for row in rows[(number - 1) * ROWS_A_PAGE : number * ROWS_A_PAGE]],
            problems=list(problems),
        )

    def agreement(self, protocol: Model = "", page: Number = 1) -> AgreementPage:
        """Tells how far models agree with people, every figure, of all protocols or of one; claims no ranks."""
        board, problems = self._reader.board()
        cards = [card for card in board.human if protocol in ("", card.protocol)]
        pages = max(1, -(-len(cards) // AGREEMENT_A_PAGE))
        number = min(page, pages)
        return AgreementPage(
            revision=board.revision,
            page=number,
            pages=pages,
            total=len(cards),
            rows=[agreement_of(card) for card in cards[(number - 1) * AGREEMENT_A_PAGE : number * AGREEMENT_A_PAGE]],
            problems=list(problems),
        )

    def scorecard(self, run_id: RunId) -> dict[str, Any]:
        """Gives a result with every figure, interval and its provenance, by the id of its run or scorecard."""
        board, problems = self._reader.board()
        if (row := scorecard_of(board.rows, run_id)) is not None:
            return row.model_dump(mode="json")
        for card in board.human:
            if run_id in (card.run_id, card.id):
                return without_gap(card).model_dump(mode="json")
        if problems:
            raise RapportError(Cause.INFRASTRUCTURE, problems[0], "Try it again in a minute.")
        raise RapportError(Cause.NOT_FOUND, "There is no scorecard of this run.", "The board lists all runs with one.")

    def compare(self, a: RunId, b: RunId, protocol: Model = "") -> Comparison:
        """Compares two results on the users that both have: by scorecard, run, submission or model."""
        board, problems = self._reader.board()
        if problems and not board.rows:
            raise RapportError(Cause.INFRASTRUCTURE, problems[0], "Try it again in a minute.")
        with told():
            return comparison(board.rows, lambda row: stored_sums(self._store, row), a.strip(), b.strip(), protocol)

    def _open(self) -> SubmissionService:
        """Returns the way in."""
        if self._service is None:
            raise RapportError(
                Cause.INFRASTRUCTURE, "Submissions are closed: this site has no Redis.", "Results stay readable."
            )
        return self._service

    def _found(self, submission_id: str) -> Found:
        """Returns a submission that is known."""
        found = self._reader.submission(submission_id.strip())
        if found.about is None and found.sure:
            raise RapportError(
                Cause.NOT_FOUND, "There is no such submission.", "Check its id; the queue lists all submissions."
            )
        return found


def changed(declaration: Declaration, changes: dict[str, Any]) -> Declaration:
    """Returns a declaration with some fields changed.

    Raises:
        RapportError: `data_error` naming the field that is wrong.
    """
    return declaration_of(**(declaration.model_dump() | changes))


def _view(found: Found) -> SubmissionView:
    """Returns the history of a submission that is known to be there."""
    if found.view is None:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            " ".join(found.problems) or "The history of this submission cannot be read right now.",
            "Try it again in a minute.",
        )
    return found.view


def _filled(text: str) -> str | None:
    """Returns what stands in a field, None if nothing does."""
    return text.strip() or None
