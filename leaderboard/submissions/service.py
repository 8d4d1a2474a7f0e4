"""The one way in: the web form, the command line and the demo all submit through here."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.facts import ModelFacts
from evaluator.hicupid.data import SEASON
from evaluator.models import model_name, pin
from evaluator.protocol import REFERENCE, is_reference, load_protocol
from evaluator.records import Terms
from leaderboard.checks.records import CheckedModel, CheckRequest
from leaderboard.checks.run import checked
from leaderboard.checks.surroundings import surroundings_of
from leaderboard.maintaining.state import paused_refusal, read_pause
from leaderboard.people import Person
from leaderboard.records import Declaration, Relation, Submission, TrainingData, now
from leaderboard.submissions.actions import SubmissionActions, told
from leaderboard.submissions.ledger import IdTaken
from leaderboard.submissions.permissions import is_theirs
from leaderboard.submissions.quotas import MAINTAINER, Quotas, limits_for, quotas_of
from leaderboard.submissions.reading import Asked, Known
from leaderboard.submissions.refusals import counting_refusals
from leaderboard.submissions.views import SubmissionView

THE_MAINTAINER = Person(MAINTAINER, maintainer=True)
"""Whoever knows the Redis of the leaderboard."""

_LEAST_FREE_BYTES = 200 * 2**20
_TERMS = Terms(visibility="public", season=SEASON, licence=None, redistributable=True, personal_data="pseudonymous")
"""A submission is public and names its submitter by the name that he or she chose on the Hub."""
_REFERENCE_TERMS = _TERMS.model_copy(update={"personal_data": "none"})
"""A reference names no person."""
_REFERENCE_DECLARATION = Declaration(
    relation=Relation.NONE, training_data=TrainingData.NEITHER, thinking=False, publish_answers=True
)
"""Nobody trained a reference, and nobody's consent is needed: the data set's terms decide what is shown of it."""


class _Entered(NamedTuple):
    """What a submission became: itself, or what covers it already."""

    ids: tuple[str, ...]
    is_new: bool


class SubmissionService(SubmissionActions):
    """Checks, enters and queues submissions, and does to them what people ask for.

    Example:
        >>> service = SubmissionService(settings, redis)  # doctest: +SKIP
        >>> service.submit("org/model", None, declaration, Person("alice")).submission.id  # doctest: +SKIP
        's-20260101-0a1b2c3d'
    """

    def submit(
        self,
        model: str,
        revision: str | None,
        declaration: Declaration,
        person: Person,
        *,
        adapter: str | None = None,
        adapter_revision: str | None = None,
    ) -> SubmissionView:
        """Checks a model, pins it to a SHA and queues it.

        It is entered for those protocols under which it is not known (the same SHAs of model and adapter, thinking or
        not); `beside` names what covers the others. What is known under all leads to what covers it: what failed or was
        cancelled is taken up again where it stopped, anything else is returned as it is.

        Args:
            model: What a person typed: `owner/name`, `local/NAME`, or a path below the models folder.
            revision: Branch, tag or commit; None for the default branch.
            declaration: What the submitter says of the model.
            person: Who submits it, as the server knows the person, never as a request says.
            adapter: LoRA adapter to load on top of the model, named as models are; None for the model alone.
            adapter_revision: Branch, tag or commit of the adapter; None for the default branch.

        Raises:
            RapportError: `malformed_id`, `forbidden_path`, `not_found`, `gated`, `unsafe_format`, `load_error`,
                `no_chat_template`, `quota`, `disk_full` or `infrastructure`. Nothing has been entered then, except
                that Redis may have gone away halfway: submitting again takes that up.
        """
        with told(), counting_refusals(self._redis):
            if not person.maintainer and (pause := read_pause(self._redis)):
                raise paused_refusal(pause)
            named, protocols = model_name(model, self._settings.models), self._settings.protocols
            reference = is_reference(named)
            if reference:
                _check_reference(named, person, alone=not (revision or adapter or declaration.thinking))
            self._check_disk()
            if reference:
                return self._enter(_reference(named), declaration, person, protocols)
            request = CheckRequest(named, revision, adapter, adapter_revision, protocols, declaration.thinking)
            found = checked(request, surroundings_of(self._settings, self._redis, person))
            return self._enter(found, declaration, person, protocols)

    def quotas(self, person: Person) -> Quotas | None:
        """Returns what a person may still submit; None for maintainers, who have no quota.

        Raises:
            RapportError: `infrastructure`.
        """
        with told():
            return quotas_of(self._redis, person, limits_for(self._redis, person, self._settings), now())

    def beside(self, view: SubmissionView) -> list[Known]:
        """Returns what else covers a submitted model, under those protocols of this site that it was known under.

        Raises:
            RapportError: `infrastructure`, or `data_error` naming a submission that cannot be read.
        """
        with told():
            known = self.ledger.known(_asked(view.submission), self._settings.protocols)
        return [each for each in known if each.submission_id != view.submission.id]

    def submit_references(self, protocols: Iterable[str]) -> list[SubmissionView]:
        """Submits every reference of some protocols as the maintainer; what is known is treated as `submit` does.

        Each is submitted for each protocol by itself, so that those of a protocol that is added later are new.

        Raises:
            RapportError: `not_found` for an unknown protocol, `disk_full` or `infrastructure`; as of `submit`.
        """
        loaded = [load_protocol(protocol) for protocol in protocols]
        with told():
            self._check_disk()
            return [
                self._enter(_reference(REFERENCE + name), _REFERENCE_DECLARATION, THE_MAINTAINER, (protocol.id,))
                for protocol in loaded
                for name in protocol.references
            ]

    def _enter(
        self, found: CheckedModel, declaration: Declaration, person: Person, protocols: tuple[str, ...]
    ) -> SubmissionView:
        """Enters what has passed its checks and queues its runs."""
        model, adapter, facts = found
        submission = Submission(
            id=_new_id(),
            model=model.model,
            revision=model.sha,
            adapter=adapter and adapter.model,
            adapter_revision=adapter and adapter.sha,
            submitter=person.name,
            declaration=declaration,
            protocols=protocols,
            created_at=now(),
            terms=_REFERENCE_TERMS if model.is_reference else _TERMS,
            facts=None if model.is_reference else facts,
            by_maintainer=person.maintainer,
        )
        entered = self._create(submission, person)
        if entered.is_new:
            self.queue_new(entered.ids[0], person)
        else:
            for history in self.ledger.histories(entered.ids):
                if is_theirs(person, history.submission):  # Nobody goes on in another person's name.
                    self.take_up(history, person)
        return self.ledger.view(entered.ids[0])

    def _create(self, submission: Submission, person: Person) -> _Entered:
        """Enters a submission, under another id if another one has it."""
        limits = None if person.maintainer else limits_for(self._redis, person, self._settings)
        while True:
            try:
                covering = self.ledger.create(submission, limits)
            except IdTaken:
                submission = submission.model_copy(update={"id": _new_id()})
                continue
            if covering == submission.id:
                return _Entered((covering,), is_new=True)
            known = self.ledger.known(_asked(submission), submission.protocols)
            return _Entered(tuple(dict.fromkeys([covering, *(each.submission_id for each in known)])), is_new=False)

    def _check_disk(self) -> None:
        """Refuses work whose results could not be kept."""
        self._settings.data.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._settings.data).free < _LEAST_FREE_BYTES:
            raise RapportError(
                Cause.DISK_FULL,
                f"Less than {_LEAST_FREE_BYTES // 2**20} MB are free where results are stored.",
                "A maintainer has to free some disk; try again later.",
            )


def _reference(name: str) -> CheckedModel:
    """Returns a reference, which has no files that could be checked.

    Raises:
        RapportError: `not_found` if there is none of that name.
    """
    return CheckedModel(pin(name, None, Path()), None, ModelFacts())


def _asked(submission: Submission) -> Asked:
    """Returns what decides a submission's answers under any protocol."""
    of = submission
    return of.model, of.revision, of.adapter, of.adapter_revision, of.declaration.thinking


def _new_id() -> str:
    """Returns an id that hardly any other submission of the day has."""
    return f"s-{now():%Y%m%d}-{secrets.token_hex(4)}"


def _check_reference(name: str, person: Person, alone: bool) -> None:
    """Lets a reference pass if a maintainer enters it, and nothing but its name."""
    if not person.maintainer:
        raise RapportError(
            Cause.MALFORMED_ID,
            f"{name} is a reference, and only maintainers enter references.",
            "Submit a model; one of an owner called `reference` on the Hub cannot be submitted.",
        )
    if not alone:
        raise RapportError(
            Cause.MALFORMED_ID,
            f"{name} is a reference: it has no revision, takes no adapter and does not think.",
            "Submit it without these.",
        )


def declaration_of(**values: object) -> Declaration:
    """Reads a declaration from a form.

    Raises:
        RapportError: `data_error` naming the field that is missing or wrong.
    """
    try:
        return Declaration.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise RapportError(
            Cause.DATA_ERROR,
            f"The field {'.'.join(map(str, first['loc']))} is not filled in properly: {first['msg']}.",
            "Correct the field and submit again.",
        ) from error
