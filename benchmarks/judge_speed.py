"""Verdicts a second, ours beside those of a bare `LLM.chat`, as a part of `make bench-judge`.

Both are given the same loaded engine, the same prompts in the same order, and the same decoding of each: forced
patterns, seeds and log probabilities. The bare call gets all prompts at once, ready as chat messages; ours begins with
stored answers and ends with stored verdicts. The prefix cache is emptied before each run. They alternate, and which of
them comes first does too. One line of JSON on standard output tells what it took.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.setup import bench_setup
from evaluator.engines.base import Completion, Engine, EngineInfo, EngineSpec, Request, Sampling, request_seed
from evaluator.engines.process import EngineProcess
from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.selection import UserItems
from evaluator.judge import judge
from evaluator.models import PinnedModel
from evaluator.protocol import QuestionLimit, hicupid_protocol
from evaluator.records import Generation, Verdict
from evaluator.references import ReferenceAnswers
from evaluator.setup import HicupidSetup, items, users_of

SPLIT = "test_2"
_LIMIT = QuestionLimit(users_per_split=1, persona=5, profile=1, schedule=2)
"""Of each user: the types in the proportions of the whole set, 14 verdicts."""


class Settings(NamedTuple):
    """What is compared."""

    model: str
    data: str
    users: int
    rounds: int
    """Runs of each, without the first of either, which warms up."""


class Spent(NamedTuple):
    """What one run took."""

    seconds: float
    cpu_seconds: float
    """Of this process and all of its threads, whatever else the machine does."""


class Judging(NamedTuple):
    """What is judged, as either is given it."""

    setup: HicupidSetup
    users: list[UserItems]
    answers: list[Generation]
    asked: list[tuple[Request, Sampling]]
    """The prompts in our order, with their decodings."""


class _Listener:
    """Stands where an engine does and notes what it is asked."""

    def __init__(self, info: EngineInfo) -> None:
        """Passes for an engine of this description."""
        self.info = info
        self.asked: dict[str, Request] = {}

    def generate(
        self, requests: Sequence[Request], sampling: Any, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        """Answers nothing; what is asked once more after that is not noted."""
        for request in requests:
            self.asked.setdefault(request.key, request)
        return iter(())


def make_judging(settings: Settings, info: EngineInfo) -> Judging:
    """Returns what is judged: the data set's general answers to the first questions of some users."""
    limit = _LIMIT.model_copy(update={"users_per_split": settings.users})
    protocol = hicupid_protocol("official-v1").model_copy(update={"splits": (SPLIT,), "limit": limit})
    setup = bench_setup(HicupidData.open(settings.data), protocol)
    setup = setup._replace(model=PinnedModel("reference/general_answer", ""))
    users = users_of(items(setup))
    answers = list(ReferenceAnswers(setup).answers(users, {}))
    listener: Any = _Listener(info)
    list(judge(setup, users, answers, listener, ()))
    asked = listener.asked.values()
    decodings = [setup.judge.sampling_for(QuestionType(request.group.rpartition("/")[2])) for request in asked]
    return Judging(setup, users, answers, list(zip(asked, decodings, strict=True)))


def ours(judging: Judging, engine: Engine) -> list[Verdict]:
    """Judges as a worker does, from stored answers to verdicts."""
    return list(judge(judging.setup, judging.users, judging.answers, engine, ()))


def bare_call(judging: Judging, engine: Any) -> Callable[[], list[Any]]:
    """Returns the call of `LLM.chat` on the same prompts; all that it is given is made beforehand."""
    from evaluator.engines.vllm import _parameters

    llm = engine._llm
    conversations = [[message._asdict() for message in request.messages] for request, _ in judging.asked]
    parameters = [
        _parameters(sampling, request_seed(sampling, request), sampling.max_tokens)
        for request, sampling in judging.asked
    ]
    template = llm.get_tokenizer().get_chat_template()
    arguments = {name: value for name, value in engine.info.chat_template_arguments if name == "date_string"}
    told = {**arguments, "enable_thinking": False, "thinking": False}

    def call() -> list[Any]:
        found: list[Any] = llm.chat(
            conversations,
            parameters,
            use_tqdm=False,
            chat_template=template,
            chat_template_content_format="string",
            chat_template_kwargs=told,
        )
        return found

    return call


def compare(settings: Settings) -> dict[str, Any]:
    """Runs both in turn on one engine in this process."""
    from evaluator.engines.vllm import VllmEngine

    with VllmEngine(_spec(settings)) as engine:
        judging = make_judging(settings, engine.info)
        bare = bare_call(judging, engine)
        arms: dict[str, Callable[[], list[Any]]] = {"bare": bare, "ours": lambda: ours(judging, engine)}
        counter, steps, results = _StepCounter(engine._llm.llm_engine), dict[str, int](), dict[str, list[Any]]()
        for name, arm in arms.items():
            _empty_cache(engine)
            results[name], steps[name] = arm(), counter.taken()
        _check(results["bare"], results["ours"])
        spent: dict[str, list[Spent]] = {name: [] for name in arms}
        for number in range(settings.rounds):
            for name in sorted(arms, reverse=number % 2 == 1):
                _empty_cache(engine)
                spent[name].append(_timed(arms[name]))
                print(name, spent[name][-1], file=sys.stderr)
        verdicts = results["ours"]
        return {
            **_rates(spent, len(judging.asked)),
            "verdicts": len(judging.asked),
            "engine_steps": steps,
            "groups": dict(Counter(request.group for request, _ in judging.asked)),
            "prompt_tokens": sum(row.prompt_tokens for row in verdicts),
            "cached_tokens": sum(row.cached_tokens or 0 for row in verdicts),
            "output_tokens": sum(row.output_tokens for row in verdicts),
            "engine_flags": dict(engine.info.flags),
        }


def _empty_cache(engine: Any) -> None:
    """Lets nothing of one run be found by the next."""
    if not engine._llm.reset_prefix_cache():
        raise SystemExit("The prefix cache was not emptied.")


class _StepCounter:
    """Counts the steps of an engine: how many a run needs is no matter of how busy the machine is."""

    def __init__(self, llm_engine: Any) -> None:
        """Listens to the engine."""
        self._steps, step = 0, llm_engine.step

        def counted() -> Any:
            self._steps += 1
            return step()

        llm_engine.step = counted

    def taken(self) -> int:
        """Returns the steps since it was asked last."""
        steps, self._steps = self._steps, 0
        return steps


def beside_a_process(settings: Settings) -> dict[str, Any]:
    """Judges once through a process of its own, as workers do; nothing but its warming-up has been asked of it."""
    log = Path(settings.data).parent / "engine.log"
    with EngineProcess(_spec(settings), log) as engine:
        judging = make_judging(settings, engine.info)
        warm, sampling = judging.asked[0]
        list(engine.generate([warm._replace(messages=warm.messages[-1:])], sampling))
        spent = _timed(lambda: ours(judging, engine))
    return {"process_vps": round(len(judging.asked) / spent.seconds, 3), "process_runs": 1}


def _spec(settings: Settings) -> EngineSpec:
    return EngineSpec(engine="vllm", model_path=settings.model, dtype="float32", kv_cache_gib=1)


def _timed(arm: Callable[[], list[Any]]) -> Spent:
    """Runs one of them."""
    started, cpu = time.monotonic(), time.process_time()
    arm()
    return Spent(time.monotonic() - started, time.process_time() - cpu)


def _rates(spent: Mapping[str, Sequence[Spent]], verdicts: int) -> dict[str, Any]:
    """Returns the rates that are compared, each a median, and every run that they are of."""
    rates = {name: verdicts / statistics.median(run.seconds for run in runs) for name, runs in spent.items()}
    cpu = {name: statistics.median(run.cpu_seconds for run in runs) for name, runs in spent.items()}
    return {
        "bare_vps": round(rates["bare"], 3),
        "ours_vps": round(rates["ours"], 3),
        "ratio": round(rates["ours"] / rates["bare"], 3),
        "cpu_ratio": round(cpu["bare"] / cpu["ours"], 3),
        "seconds": {name: [round(run.seconds, 2) for run in runs] for name, runs in spent.items()},
        "cpu_seconds": {name: [round(run.cpu_seconds, 2) for run in runs] for name, runs in spent.items()},
    }


def _check(bare: Sequence[Any], verdicts: Sequence[Verdict]) -> None:
    """Makes sure that both read the same prompts and that no verdict was asked for twice."""
    from evaluator.engines.prompt import prompt_digest

    prompts = Counter(prompt_digest(output.prompt_token_ids) for output in bare)
    if prompts != Counter(row.prompt_hash for row in verdicts):
        raise SystemExit("The bare call reads other prompts than ours.")
    if lacking := [row for row in verdicts if row.attempt > 1 or row.outcome is None]:
        raise SystemExit(f"{len(lacking)} verdicts cannot be read at once, so that ours asks more: {lacking[0]}")


def main() -> None:
    """Compares, or judges beside a process, and prints what it took."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Libraries print too.
    settings = Settings(**json.loads(sys.argv[2]))
    print(json.dumps({"compare": compare, "process": beside_a_process}[sys.argv[1]](settings)), file=answers)


if __name__ == "__main__":
    main()
