"""The engines of one run: loaded when they are first asked for, kept until the job ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from evaluator.ask import AnswerSource, ModelAnswers
from evaluator.context_mode import Dense
from evaluator.encoders import words
from evaluator.encoders.base import Encoder
from evaluator.encoders.process import load_encoder
from evaluator.encoders.words import WordsEncoder
from evaluator.engines.base import EndpointSpec, Engine, EngineSpec
from evaluator.engines.child import Killed
from evaluator.engines.load import Own, best_engine, load_engine
from evaluator.engines.process import EngineProcess
from evaluator.errors import Cause, RapportError
from evaluator.estimate import GPU_SHARE
from evaluator.hicupid.contexts import make_contexts
from evaluator.human.asking import HumanAnswers
from evaluator.human.people import People
from evaluator.human.setup import HumanSetup
from evaluator.judges.rater import Rater
from evaluator.models import PinnedModel, fetch
from evaluator.references import ReferenceAnswers
from evaluator.suites import RunSetup
from leaderboard.judge_servers import refuse_servers_of_nobody
from leaderboard.records import Lane
from leaderboard.settings import Settings

Spec = EngineSpec | EndpointSpec


class Endpoints(NamedTuple):
    """Servers that take the place of an engine of our own."""

    model: EndpointSpec | None = None
    judge: EndpointSpec | None = None


NO_ENDPOINTS = Endpoints()


def judge_endpoint(settings: Settings, judge: Rater) -> EndpointSpec | None:
    """Returns the server on which the settings let the judge run; None where it runs on this machine.

    That is the one for this judge, or else the one for all judges.

    Raises:
        RapportError: `judge_error` if the judge runs on a server, this machine judges, and no server is named;
            `infrastructure` if one is named for a judge that there is not, and none for this one.

    Example:
        >>> from evaluator.judges.spec import load_judge
        >>> served = Settings(judge_url="http://judge.internal:8000/v1", judge_key_variable="JUDGE_KEY")
        >>> judge_endpoint(served, load_judge("demo")).model
        'local/SmolLM2-135M-Instruct'
    """
    if isinstance(judge, People):
        return None
    if server := next((each for each in settings.judge_servers if each.judge == judge.id), None):
        return EndpointSpec(
            base_url=server.url,
            model=server.name or judge.model,
            key_variable=server.key_variable,
            flavour=server.flavour,
            context_length=server.context,
        )
    refuse_servers_of_nobody(settings)  # One of them may be meant for this judge.
    if settings.judge_url is not None:
        return EndpointSpec(
            base_url=settings.judge_url,
            model=settings.judge_name or judge.model,
            key_variable=settings.judge_key_variable,
            flavour=settings.judge_flavour,
            context_length=settings.judge_context,
        )
    if judge.engine == "server" and Lane.JUDGE in settings.lanes:
        raise RapportError(
            Cause.JUDGE_ERROR,
            f"The judge {judge.id} runs on a server, and none is named for it.",
            "Name one in RAPPORT_JUDGE_SERVERS or RAPPORT_JUDGE_URL, or with --judge-url.",
        )
    return None


def gpu_share(setup: RunSetup, endpoints: Endpoints, lanes: Collection[Lane] = tuple(Lane)) -> float:
    """Returns the part of the card that each engine of a run may take: model and judge halve it if both are loaded."""
    one_only = setup.model.is_reference or endpoints.model or endpoints.judge or len(set(lanes)) == 1
    if isinstance(setup.judge, People):
        return GPU_SHARE
    judge_model = PinnedModel(setup.judge.model, setup.judge_revision)
    return GPU_SHARE if one_only or (judge_model == setup.model and not setup.adapter) else GPU_SHARE / 2


def own_engine(settings: Settings) -> Own:
    """Returns the engine that runs models on this machine."""
    return best_engine(settings.engine)


def own_dtype(settings: Settings) -> str:
    """Returns the precision in which models run on this machine, `auto` for each model's own."""
    if settings.dtype == "auto" and not os.path.exists("/dev/nvidiactl"):
        return "float32"  # Faster than bfloat16 on CPUs without instructions for it.
    return settings.dtype


def _reference(setup: RunSetup) -> ReferenceAnswers:
    """Returns who gives the answers of a reference.

    Raises:
        RapportError: `not_found` if the suite has none.
    """
    if isinstance(setup, HumanSetup):
        raise RapportError(
            Cause.NOT_FOUND,
            "The human-grounded tasks have no references: each scorecard has what always-yes and always-no reach.",
            "Evaluate a model.",
        )
    return ReferenceAnswers(setup)


class JudgeFailed(RapportError):
    """The judge failed, and not the model.

    Attributes:
        of: What it failed of.
    """

    def __init__(self, judge_id: str, error: RapportError) -> None:
        """Says so of a failure; one that may pass keeps its kind, so that it is tried again."""
        cause = error.cause if error.cause.passes else Cause.JUDGE_ERROR
        super().__init__(cause, f"The judge {judge_id}: {error.message}", error.remedy)
        self.of = error.cause


class RunEngines:
    """Who answers and who judges in one run: each loaded when it is first asked for, both perhaps one engine.

    Example:
        >>> with RunEngines(setup, settings, Path("logs/s-20260101-0a1b2c3d.demo-v1")) as engines:  # doctest: +SKIP
        ...     engines.judge().info.engine
        'vllm'
    """

    def __init__(
        self,
        setup: RunSetup,
        settings: Settings,
        log: Path,
        endpoints: Endpoints = NO_ENDPOINTS,
        lanes: Collection[Lane] = tuple(Lane),
    ) -> None:
        """Engines write to `log` with an ending of their own; loads nothing yet, and never what `lanes` do not need."""
        self._setup, self._settings, self._log, self._endpoints = setup, settings, log, endpoints
        self._gpu_share = gpu_share(setup, endpoints, lanes)
        self._loaded: dict[Spec, Engine] = {}
        self._encoder: Encoder | None = None
        self._source: AnswerSource | None = None
        self._exits = contextlib.ExitStack()

    def source(self) -> AnswerSource:
        """Returns who answers, downloading and loading it first if needed.

        Raises:
            RapportError: What fetching or loading a model ended with.
        """
        if self._source is None:
            self._source = self._load_source()
        return self._source

    def judge(self) -> Engine:
        """Returns the judge, downloading and loading it first if needed.

        Raises:
            RapportError: `judge_error` if it cannot be had, and not only for now.
        """
        if isinstance(self._setup.judge, People):
            raise RapportError(Cause.JUDGE_ERROR, "People have labelled this; no model judges it.", "Ask no judge.")
        pinned = PinnedModel(self._setup.judge.model, self._setup.judge_revision)
        with self.as_judge():
            return self._load(self._endpoints.judge or self._spec(pinned, None), "-judge.log")

    def encoder(self) -> Encoder | None:
        """Returns what compares extracted attributes, loading it first if needed; None where none are.

        Raises:
            RapportError: `judge_error` if it cannot be had, and not only for now.
        """
        told = self._setup.protocol.extraction if isinstance(self._setup, HumanSetup) else None
        if told is not None and self._encoder is None:
            if told.encoder == words.NAME:
                self._encoder = self._exits.enter_context(WordsEncoder())
            else:
                with self.as_judge():
                    self._encoder = self._load_encoder(told.encoder, str(told.revision))
        return self._encoder if told is not None else None

    def peak_rss_mb(self) -> float:
        """Returns the highest resident memory of any one process of a model so far, the encoder's too, in MB."""
        encoders = (self._encoder,) if self._encoder else ()
        return max((each.peak_rss_mb() for each in (*self._loaded.values(), *encoders)), default=0.0)

    def __enter__(self) -> Self:
        """Returns the engines themselves."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Closes them."""
        self._exits.close()

    def _load_source(self) -> AnswerSource:
        """Loads who answers: a model with its contexts, or a reference out of the data set."""
        setup = self._setup
        if setup.model.is_reference:
            return _reference(setup)
        model = self._load(self._endpoints.model or self._spec(setup.model, setup.adapter), ".log")
        if isinstance(setup, HumanSetup):
            return HumanAnswers(setup, model)
        mode = setup.protocol.context
        if isinstance(mode, Dense):
            self._encoder = self._load_encoder(mode.encoder, str(mode.revision))
        return ModelAnswers(setup, model, make_contexts(mode, model, self._encoder))

    def _load_encoder(self, name: str, revision: str) -> Encoder:
        """Loads an encoder in a process of its own."""
        log = self._log.with_name(f"{self._log.name}-encoder.log")
        pinned = PinnedModel(name, revision)
        return self._exits.enter_context(load_encoder(pinned, self._settings.models, log))

    def _load(self, spec: Spec, ending: str) -> Engine:
        """Returns the engine of a spec; a server is spoken to from this process."""
        if spec not in self._loaded:
            if isinstance(spec, EndpointSpec):
                engine = load_engine(spec)
            else:
                engine = EngineProcess(spec, self._log.with_name(self._log.name + ending))
            self._loaded[spec] = self._exits.enter_context(engine)
        return self._loaded[spec]

    def _spec(self, pinned: PinnedModel, adapter: PinnedModel | None) -> EngineSpec:
        """Says how a model is loaded on this machine, and sees that its files are there."""
        settings = self._settings
        return EngineSpec(
            engine=own_engine(settings),
            model_path=str(fetch(pinned, settings.models).resolve()),
            adapter_path=adapter and str(fetch(adapter, settings.models).resolve()),
            dtype=own_dtype(settings),
            max_model_len=settings.context_tokens,
            kv_cache_gib=settings.kv_cache_gib,
            gpu_share=self._gpu_share,
        )

    @contextlib.contextmanager
    def as_judge(self) -> Iterator[None]:
        """Says of a failure that it is the judge's."""
        try:
            yield
        except Killed as error:
            message = f"The judge {self._setup.judge.id}: {error.message}"
            raise Killed(error.cause, message, error.remedy) from error
        except RapportError as error:
            raise JudgeFailed(self._setup.judge.id, error) from error
