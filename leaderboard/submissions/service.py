"""The one way in: the web form, the command line and the demo all submit through here."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable

from pydantic import ValidationError
from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.data import SEASON
from evaluator.models import PinnedModel, model_name, pin, pin_adapter
from evaluator.protocol import REFERENCE, is_reference, load_protocol
from evaluator.records import Terms
from leaderboard.records import Declaration, Relation, State, Submission, TrainingData, now
from leaderboard.settings import Settings
from leaderboard.store.base import StoreError
from leaderboard.submissions.invite import invite
from leaderboard.submissions.ledger import Ledger, SubmissionView

MAINTAINER = "maintainer"
"""Who submits from the command line: whoever knows the Redis of the leaderboard."""

_LEAST_FREE_BYTES = 200 * 2**20
_TERMS = Terms(visibility="public", season=SEASON, licence=None, redistributable=True, personal_data="pseudonymous")
"""A submission is public and names its submitter by the name that he or she chose on the Hub."""
_REFERENCE_TERMS = _TERMS.model_copy(update={"personal_data": "none"})
"""A reference names no person."""
_REFERENCE_DECLARATION = Declaration(
    relation=Relation.NONE, training_data=TrainingData.NEITHER, thinking=False, publish_answers=True
)
"""Nobody trained a reference, and nobody's consent is needed: the data set's terms decide what is shown of it."""


class SubmissionService:
    """Checks, enters and queues submissions.

    Example:
        >>> service = SubmissionService(settings, redis)  # doctest: +SKIP
        >>> service.submit("org/model", None, declaration, "alice").submission.id  # doctest: +SKIP
        's-20260101-0a1b2c3d'
    """

    def __init__(self, settings: Settings, redis: Redis) -> None:
        """Works on an open connection."""
        self._settings, self._redis = settings, redis
        self.ledger = Ledger(redis)

    def submit(
        self,
        model: str,
        revision: str | None,
        declaration: Declaration,
        submitter: str,
        *,
        adapter: str | None = None,
        adapter_revision: str | None = None,
        by_maintainer: bool = False,
    ) -> SubmissionView:
        """Checks a model, pins it to a SHA, enters it and invites workers.

        What is known (the same SHAs of model and adapter, thinking or not) leads to the submission that covers it: one
        that failed or was cancelled is taken up again where it stopped, any other is returned as it is.

        Args:
            model: What a person typed: `owner/name`, `local/NAME`, or a path below the models folder.
            revision: Branch, tag or commit; None for the default branch.
            declaration: What the submitter says of the model.
            submitter: The name that the server knows the person by, never one from a request body.
            adapter: LoRA adapter to load on top of the model, named as models are; None for the model alone.
            adapter_revision: Branch, tag or commit of the adapter; None for the default branch.
            by_maintainer: Whether a reference may be handed in; a name alone proves nobody a maintainer.

        Raises:
            RapportError: `malformed_id`, `forbidden_path`, `not_found`, `gated`, `unsafe_format`, `load_error`,
                `no_chat_template`, `disk_full` or `infrastructure`. Nothing has been entered then, except that
                Redis may have gone away halfway: submitting again takes that up.
        """
        named = model_name(model, self._settings.models)
        if is_reference(named):
            _check_reference(named, by_maintainer, alone=not (revision or adapter or declaration.thinking))
        try:
            self._check_disk()
            pinned = pin(named, revision, self._settings.models)
            lora = self._pin_adapter(adapter, adapter_revision)
            return self._enter(pinned, lora, declaration, submitter, self._settings.protocols)
        except (RedisError, StoreError, OSError) as error:
            raise _interrupted(error) from error

    def submit_references(self, protocols: Iterable[str]) -> list[SubmissionView]:
        """Submits every reference of some protocols as the maintainer; what is known is treated as `submit` does.

        Each is submitted for each protocol by itself, so that those of a protocol that is added later are new.

        Raises:
            RapportError: `not_found` for an unknown protocol, `disk_full` or `infrastructure`; as of `submit`.
        """
        loaded = [load_protocol(protocol) for protocol in protocols]
        try:
            self._check_disk()
            return [
                self._enter(
                    pin(REFERENCE + reference, None, self._settings.models),
                    None,
                    _REFERENCE_DECLARATION,
                    MAINTAINER,
                    (protocol.id,),
                )
                for protocol in loaded
                for reference in protocol.references
            ]
        except (RedisError, StoreError, OSError) as error:
            raise _interrupted(error) from error

    def _pin_adapter(self, adapter: str | None, revision: str | None) -> PinnedModel | None:
        """Pins an adapter, if there is one."""
        if adapter:
            return pin_adapter(model_name(adapter, self._settings.models), revision, self._settings.models)
        if revision:
            raise RapportError(
                Cause.MALFORMED_ID, "A revision of an adapter is given, but no adapter.", "Name the adapter as well."
            )
        return None

    def _enter(
        self,
        model: PinnedModel,
        adapter: PinnedModel | None,
        declaration: Declaration,
        submitter: str,
        protocols: tuple[str, ...],
    ) -> SubmissionView:
        """Enters what was pinned and invites workers."""
        for protocol in protocols:
            load_protocol(protocol)
        submission = Submission(
            id=f"s-{now():%Y%m%d}-{secrets.token_hex(4)}",
            model=model.model,
            revision=model.sha,
            adapter=adapter and adapter.model,
            adapter_revision=adapter and adapter.sha,
            submitter=submitter,
            declaration=declaration,
            protocols=protocols,
            created_at=now(),
            terms=_REFERENCE_TERMS if model.is_reference else _TERMS,
        )
        submission_id = self.ledger.create(submission)
        self._queue(submission_id, submitter)
        return self.ledger.view(submission_id)

    def _queue(self, submission_id: str, actor: str) -> None:
        """Queues the runs that have passed their checks, failed or were cancelled."""
        for run in self.ledger.view(submission_id).runs:
            if run.state in (State.CHECKING, State.FAILED, State.CANCELLED):
                self.ledger.advance(run.id, State.QUEUED, actor)
                invite(self._redis, run.id, self._settings.job_seconds)

    def _check_disk(self) -> None:
        """Refuses work whose results could not be kept."""
        self._settings.data.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._settings.data).free < _LEAST_FREE_BYTES:
            raise RapportError(
                Cause.DISK_FULL,
                f"Less than {_LEAST_FREE_BYTES // 2**20} MB are free where results are stored.",
                "A maintainer has to free some disk; try again later.",
            )


def _check_reference(name: str, by_maintainer: bool, alone: bool) -> None:
    """Lets a reference pass if a maintainer enters it, and nothing but its name."""
    if not by_maintainer:
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


def _interrupted(error: Exception) -> RapportError:
    """Says to a submitter that the fault is ours, without addresses or paths of this machine."""
    failed = "Redis does not answer" if isinstance(error, RedisError) else "a disk or the network failed"
    return RapportError(
        Cause.INFRASTRUCTURE,
        f"The submission could not be completed: {failed} ({type(error).__name__}).",
        "Submit it again in a minute; what has been entered is taken up where it stopped.",
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
