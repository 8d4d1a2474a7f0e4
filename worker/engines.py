"""The engines of one run: loaded when they are first asked for, kept until the job ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from evaluator.ask import AnswerSource, ModelAnswers
from evaluator.context_mode import Dense
from evaluator.encoders.base import Encoder
from evaluator.encoders.process import load_encoder
from evaluator.engines.base import EndpointSpec, Engine, EngineSpec
from evaluator.engines.load import best_engine, load_engine
from evaluator.engines.process import EngineProcess
from evaluator.errors import Cause, RapportError
from evaluator.estimate import GPU_SHARE
from evaluator.hicupid.contexts import make_contexts
from evaluator.judges.spec import JudgeSpec
from evaluator.models import PinnedModel, fetch
from evaluator.references import ReferenceAnswers
from evaluator.setup import RunSetup
from leaderboard.settings import Settings
from worker.troubles import RETRIED

Spec = EngineSpec | EndpointSpec


class Endpoints(NamedTuple):
    """Servers that take the place of an engine of our own."""

    model: EndpointSpec | None = None
    judge: EndpointSpec | None = None


NO_ENDPOINTS = Endpoints()


def judge_endpoint(settings: Settings, judge: JudgeSpec) -> EndpointSpec | None:
    """Returns the server on which the settings let the judge run; None where it runs on this machine.

    Example:
        >>> from evaluator.judges.spec import load_judge
        >>> served = Settings(judge_url="http://judge.internal:8000/v1", judge_key_variable="JUDGE_KEY")
        >>> judge_endpoint(served, load_judge("demo")).model
        'local/SmolLM2-135M-Instruct'
    """
    if settings.judge_url is None:
        return None
    return EndpointSpec(
        base_url=settings.judge_url,
        model=settings.judge_name or judge.model,
        key_variable=settings.judge_key_variable,
        flavour=settings.judge_flavour,
        context_length=settings.judge_context,
    )


def gpu_share(setup: RunSetup, endpoints: Endpoints) -> float:
    """Returns the part of the card that each engine of a run may take: model and judge halve it if both are loaded."""
    one_only = setup.model.is_reference or endpoints.model or endpoints.judge
    judge_model = PinnedModel(setup.judge.model, setup.judge_revision)
    return GPU_SHARE if one_only or (judge_model == setup.model and not setup.adapter) else GPU_SHARE / 2


class Engines(NamedTuple):
    """The two sides of a run; both may be one and the same engine."""

    source: AnswerSource
    judge: Engine


class RunEngines:
    """Who answers and who judges in one run.

    Example:
        >>> with RunEngines(setup, settings, Path("logs/s-20260101-0a1b2c3d.demo-v1")) as engines:  # doctest: +SKIP
        ...     engines.get().judge.info.engine
        'vllm'
    """

    def __init__(self, setup: RunSetup, settings: Settings, log: Path, endpoints: Endpoints = NO_ENDPOINTS) -> None:
        """Engines write to `log` with an ending of their own; loads nothing yet."""
        self._setup, self._settings, self._log, self._endpoints = setup, settings, log, endpoints
        self._loaded: dict[Spec, Engine] = {}
        self._encoder: Encoder | None = None
        self._engines: Engines | None = None
        self._exits = contextlib.ExitStack()

    def get(self) -> Engines:
        """Returns the loaded sides, downloading and loading them first if needed.

        Raises:
            RapportError: `judge_error` if the judge cannot be had, and not only for now; else what fetching or loading
                a model ended with.
        """
        if self._engines is None:
            judge_model = PinnedModel(self._setup.judge.model, self._setup.judge_revision)
            share = gpu_share(self._setup, self._endpoints)
            model = self._model(share)
            with self._as_judge():
                judge = self._load(self._endpoints.judge or self._spec(judge_model, None, share), "-judge.log")
            self._engines = Engines(self._source(model), judge)
        return self._engines

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

    def _source(self, model: Engine | None) -> AnswerSource:
        """Returns who answers."""
        if model is None:
            return ReferenceAnswers(self._setup)
        mode = self._setup.protocol.context
        if isinstance(mode, Dense):
            pinned = PinnedModel(mode.encoder, str(mode.revision))
            log = self._log.with_name(f"{self._log.name}-encoder.log")
            self._encoder = self._exits.enter_context(load_encoder(pinned, self._settings.models, log))
        return ModelAnswers(self._setup, model, make_contexts(mode, model, self._encoder))

    def _model(self, gpu_share: float) -> Engine | None:
        """Loads the submitted model; None where the answers come out of the data set."""
        if self._setup.model.is_reference:
            return None
        spec = self._endpoints.model or self._spec(self._setup.model, self._setup.adapter, gpu_share)
        return self._load(spec, ".log")

    def _load(self, spec: Spec, ending: str) -> Engine:
        """Returns the engine of a spec; a server is spoken to from this process."""
        if spec not in self._loaded:
            if isinstance(spec, EndpointSpec):
                engine = load_engine(spec)
            else:
                engine = EngineProcess(spec, self._log.with_name(self._log.name + ending))
            self._loaded[spec] = self._exits.enter_context(engine)
        return self._loaded[spec]

    def _spec(self, pinned: PinnedModel, adapter: PinnedModel | None, gpu_share: float) -> EngineSpec:
        """Says how a model is loaded on this machine, and sees that its files are there."""
        settings, dtype = self._settings, self._settings.dtype
        if dtype == "auto" and not os.path.exists("/dev/nvidiactl"):
            dtype = "float32"  # Faster than bfloat16 on CPUs without instructions for it.
        return EngineSpec(
            engine=best_engine(settings.engine),
            model_path=str(fetch(pinned, settings.models).resolve()),
            adapter_path=adapter and str(fetch(adapter, settings.models).resolve()),
            dtype=dtype,
            max_model_len=settings.context_tokens,
            kv_cache_gib=settings.kv_cache_gib,
            gpu_share=gpu_share,
        )

    @contextlib.contextmanager
    def _as_judge(self) -> Iterator[None]:
        """Says of a failure that it is the judge's; one that may pass keeps its cause, so that it is tried again."""
        try:
            yield
        except RapportError as error:
            cause = error.cause if error.cause in RETRIED else Cause.JUDGE_ERROR
            message = f"The judge {self._setup.judge.id}: {error.message}"
            raise RapportError(cause, message, error.remedy) from error
