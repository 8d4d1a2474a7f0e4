"""What the checks of one request have found so far, and what they ask of their surroundings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.errors import RapportError
from evaluator.facts import ModelFacts
from evaluator.model_checks import MODEL_FILE, Settings
from evaluator.models import PinnedModel
from evaluator.repositories import Repository
from evaluator.safetensors_headers import Tensor
from leaderboard.checks.records import Check, CheckName, CheckRequest, CheckResult, Fact
from leaderboard.fleet import Announcement
from leaderboard.maintaining.records import SitePause
from leaderboard.submissions.estimate import Estimate, Expectation
from leaderboard.submissions.needs import Need
from leaderboard.submissions.quotas import Quotas
from leaderboard.submissions.reading import Known


class Expected(NamedTuple):
    """How long a submission is expected to take; None where nothing was measured."""

    work: Expectation | None
    """Of one worker, by what earlier runs took."""
    waiting: Estimate | None
    """Until a worker takes it."""


class Surroundings(NamedTuple):
    """Whom the checks ask; None where no leaderboard is configured."""

    models: Path
    """The one folder from which local models are loaded."""
    alive: Callable[[], Sequence[Announcement]] | None = None
    """Returns the workers that are alive."""
    need: Callable[[str], Need | None] | None = None
    """Returns what a protocol needs."""
    known: Callable[[PinnedModel, PinnedModel | None, bool, tuple[str, ...]], Sequence[Known]] | None = None
    """Returns what covers a model with an adapter, thinking or not, under some protocols."""
    quotas: Callable[[], Quotas | None] | None = None
    """Returns what the person may still submit; None for one without a quota."""
    pause: Callable[[], SitePause | None] | None = None
    """Returns why nothing of the person is accepted at all for now; None if something is."""
    expected: Callable[[tuple[str, ...], ModelFacts], Expected] | None = None
    """Returns how long a model takes for some protocols, and how long it waits before."""


class Waits(Exception):
    """A check cannot be made, because another one has not found what it needs."""

    def __init__(self, of: CheckName) -> None:
        """Keeps on which check it waits."""
        super().__init__(of)
        self.of = of


@dataclass
class Findings:
    """What has been found so far."""

    request: CheckRequest
    surroundings: Surroundings
    name: str = ""
    refused: RapportError | None = None
    """Why the files of a repository that exists cannot be had."""
    repository: Repository | None = None
    settings: Settings | None = None
    files: list[str] = field(default_factory=list)
    """Those with the model's weights."""
    tensors: dict[str, Tensor] = field(default_factory=dict)
    adapter: Repository | None = None
    known: Sequence[Known] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    """Fields of `ModelFacts`."""
    results: dict[CheckName, CheckResult] = field(default_factory=dict)

    @property
    def new_protocols(self) -> tuple[str, ...]:
        """The protocols under which the same was not submitted before."""
        covered = {each.protocol for each in self.known}
        return tuple(protocol for protocol in self.request.protocols if protocol not in covered)

    @property
    def opened(self) -> Repository:
        """The model's repository."""
        if self.repository is None:
            raise Waits(CheckName.REVISION)
        return self.repository

    @property
    def read_settings(self) -> Settings:
        """The model's settings by file."""
        if self.settings is None:
            raise Waits(CheckName.WEIGHTS)
        return self.settings

    @property
    def config(self) -> Any:
        """The content of the model's `config.json`."""
        return self.read_settings[MODEL_FILE]

    @property
    def model_facts(self) -> ModelFacts:
        """What is known of the model."""
        return ModelFacts(**self.facts)

    def pinned(self) -> tuple[PinnedModel, PinnedModel | None]:
        """Returns model and adapter at what was looked at."""
        adapter = self.adapter and PinnedModel(self.adapter.name, self.adapter.sha)
        return PinnedModel(self.opened.name, self.opened.sha), adapter


def passed(name: CheckName, message: str, **facts: Fact) -> Check:
    """Makes a line that says that all is well."""
    return Check(name=name, result=CheckResult.PASSED, message=message, facts=facts)


def warned(name: CheckName, message: str, remedy: str, **facts: Fact) -> Check:
    """Makes a line that says what is worth knowing."""
    return Check(name=name, result=CheckResult.WARNED, message=message, remedy=remedy, facts=facts)


def skipped(name: CheckName, message: str) -> Check:
    """Makes a line that says why nothing was looked at."""
    return Check(name=name, result=CheckResult.SKIPPED, message=message)


NO_LEADERBOARD = "Not looked at: no leaderboard is configured here."
