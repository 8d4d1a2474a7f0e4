"""The arms of `make bench-prefill`, each run in a process of its own: `python -m benchmarks.prefill_arms ARM SETTINGS`.

Every arm asks the same questions of the same users with the same model, precision and threads, and answers each with
the same number of tokens. One line of JSON on standard output tells what it took.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from benchmarks.setup import bench_setup
from evaluator.context_mode import FullHistory
from evaluator.engines.base import Completion, Engine, EngineSpec, Message, Request, Sampling
from evaluator.generate import generate
from evaluator.hicupid.contexts import FullContexts, prompt_messages
from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.selection import UserItems, select_questions, select_users
from evaluator.judges.prompt import judge_messages, slot_orders
from evaluator.protocol import hicupid_protocol
from evaluator.records import Generation
from evaluator.setup import HicupidSetup, items, questions_of, users_of
from evaluator.waves import waves

THREADS = os.cpu_count() or 1


class Settings(NamedTuple):
    """What one arm is told; all arms of a comparison are told the same but for order and cache."""

    model: str
    data: str
    split: str = "test_2"
    questions: int | None = None
    """Of each user; None asks all."""
    tokens: int = 48
    cache_tokens: int | None = None
    context: int | None = None
    """Longest prompt and answer that the engine is set up for; None takes the model's own."""


class Spent(NamedTuple):
    """What an arm took."""

    questions: int
    prompt_tokens: int
    computed_tokens: int
    distinct_tokens: int
    prefill_seconds: float
    decode_seconds: float
    seconds: float
    """From the first prompt to the last answer, without loading."""
    shareable_tokens: int = 0
    """Prompt tokens that a cache of whole blocks could have given again."""
    block_size: int | None = None

    def told(self) -> dict[str, Any]:
        """Returns the figures with the rate that arms are compared by."""
        return {
            **{name: round(value, 2) for name, value in self._asdict().items() if value is not None},
            "questions_per_second": self.questions / self.seconds,
            "efficiency": self.distinct_tokens / self.computed_tokens,
            "shared_of_shareable": (self.prompt_tokens - self.computed_tokens) / (self.shareable_tokens or 1),
        }


def run_setup(settings: Settings) -> HicupidSetup:
    """Returns the official protocol on one split, with answers of a fixed length and the wanted number of questions."""
    data = HicupidData.open(settings.data)
    protocol = hicupid_protocol("official-v1").model_copy(
        update={
            "splits": (settings.split,),
            "context": FullHistory(mode="full"),
            "sampling": Sampling(max_tokens=settings.tokens, ignore_end=True),
        }
    )
    asked = frozenset(
        question.question_id
        for user in select_users(data, protocol)
        for question in select_questions(data, protocol, user)[: settings.questions]
    )
    return bench_setup(data, protocol)._replace(only=asked)


def user_requests(setup: HicupidSetup) -> dict[UserItems, list[Request]]:
    """Returns the prompts of every user."""
    found = {}
    for user in users_of(items(setup)):
        questions = questions_of(setup, user)
        shown = FullContexts().of(setup.data.history(user.split, user.user_id), questions)
        found[user] = [
            Request(
                question.question_id, str(user), prompt_messages(context.messages, question, setup.protocol, setup.pack)
            )
            for question, context in zip(questions, shown, strict=True)
        ]
    return found


def interleaved(by_user: dict[UserItems, list[Request]]) -> list[Request]:
    """Returns the first question of every user, then the second: the order of a file that is sorted by question."""
    rows = itertools.zip_longest(*by_user.values())
    return [request for row in rows for request in row if request is not None]


def published_loop(settings: Settings) -> Spent:
    """Asks one question after the other with transformers, as the authors' code does: a cache for each prompt alone."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria

    from evaluator.engines.prompt import PromptRenderer

    torch.set_num_threads(THREADS)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(settings.model, dtype=torch.float32, attn_implementation="sdpa")
    model = model.to(device).eval()
    renderer = PromptRenderer(AutoTokenizer.from_pretrained(settings.model), "model")

    class FirstToken(StoppingCriteria):  # type: ignore[misc]
        """Notes when the first token came; never stops."""

        def __init__(self) -> None:
            self.at: float | None = None

        def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
            if device == "cuda":
                torch.cuda.synchronize()
            self.at = self.at or time.monotonic()
            return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)

    tokens, prefill, started = 0, 0.0, time.monotonic()
    requests = interleaved(user_requests(run_setup(settings)))
    for request in requests:
        begun, first = time.monotonic(), FirstToken()
        ids = torch.tensor([renderer.render(request.messages).token_ids], device=device)
        with torch.inference_mode():
            model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                min_new_tokens=settings.tokens,
                max_new_tokens=settings.tokens,
                stopping_criteria=[first],
            )
        tokens += ids.shape[1]
        prefill += (first.at or begun) - begun
    seconds = time.monotonic() - started
    return Spent(len(requests), tokens, tokens, tokens, prefill, seconds - prefill, seconds)


def file_order(settings: Settings) -> Spent:
    """Hands all questions to vLLM at once, in the order of the file."""
    setup = run_setup(settings)
    return _vllm(settings, lambda engine: engine.generate(interleaved(user_requests(setup)), setup.protocol.sampling))


def ours(settings: Settings) -> Spent:
    """Answers as a run does: user by user, in waves that fit the cache."""
    setup, contexts = run_setup(settings), FullContexts()

    def answers(engine: Engine) -> Iterator[Generation]:
        for wave in waves(setup, users_of(items(setup)), engine, contexts):
            yield from generate(setup, wave, engine, contexts, {})

    return _vllm(settings, answers)


def judging(settings: Settings) -> Spent:
    """Judges every question's general answer in the official protocol's orders with the built-in rubric."""
    setup = run_setup(settings)
    requests = [
        Request(f"{question.question_id}/{order}", f"judge/{question.type}", messages)
        for user in users_of(items(setup))
        for question in questions_of(setup, user)
        for order in slot_orders(question, setup.protocol)
        for messages in [judge_messages(question, question.general_answer, order, setup.pack)]
    ]
    in_order = sorted(requests, key=lambda request: request.group)
    return _vllm(settings, lambda engine: engine.generate(in_order, setup.protocol.sampling))


def _vllm(settings: Settings, answers: Callable[[Engine], Iterable[Generation | Completion]]) -> Spent:
    """Has vLLM answer, and splits its time by what its steps computed."""
    from evaluator.engines.vllm import VllmEngine

    spec = EngineSpec(
        engine="vllm",
        model_path=settings.model,
        dtype="float32",
        max_model_len=settings.context,
        kv_cache_gib=2,
        kv_cache_tokens=settings.cache_tokens,
    )
    with VllmEngine(spec) as engine:
        list(engine.generate([Request("warm-up", "warm-up", (Message("user", "Hello"),))], Sampling(max_tokens=4)))
        clock = _StepClock(engine)
        started = time.monotonic()
        done = list(answers(engine))
        seconds = time.monotonic() - started
    _check(done, settings.tokens)
    prompts = sum(item.prompt_tokens for item in done)
    return Spent(
        questions=len(done),
        prompt_tokens=prompts,
        computed_tokens=prompts - sum(_told(item.cached_tokens) for item in done),
        distinct_tokens=prompts - sum(_told(item.shared_tokens) for item in done),
        prefill_seconds=clock.prefill,
        decode_seconds=clock.decode,
        seconds=seconds,
        shareable_tokens=sum(_told(item.shared_tokens) // spec.block_size * spec.block_size for item in done),
        block_size=spec.block_size,
    )


def _told(tokens: int | None) -> int:
    """Returns a count that vLLM itself always tells."""
    if tokens is None:
        raise SystemExit("The engine does not tell its counts of cached and shared tokens.")
    return tokens


def _check(done: list[Generation | Completion], tokens: int) -> None:
    """Makes sure that every arm did the same work."""
    wrong = [item for item in done if item.failure or item.output_tokens != tokens]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {len(done)} answers have not exactly {tokens} tokens: {wrong[0]}")


class _StepClock:
    """Times vLLM's steps: one that computes any prompt is prefill, one that only goes on with answers is decoding."""

    def __init__(self, engine: Any) -> None:
        """Listens to the engine's executor."""
        self.prefill = self.decode = 0.0
        executor = engine._llm.llm_engine.engine_core.engine_core.model_executor
        execute = executor.execute_model

        def timed(scheduled: Any, *rest: Any, **named: Any) -> Any:
            started = time.monotonic()
            result = execute(scheduled, *rest, **named)
            spent = time.monotonic() - started
            if any(number > 1 for number in scheduled.num_scheduled_tokens.values()):
                self.prefill += spent
            else:
                self.decode += spent
            return result

        executor.execute_model = timed


ARMS: dict[str, Callable[[Settings], Spent]] = {
    "published_loop": published_loop,
    "file_order": file_order,
    "ours": ours,
    "judging": judging,
}


def main() -> None:
    """Runs one arm and prints what it took."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Libraries print too.
    spent = ARMS[sys.argv[1]](Settings(**json.loads(sys.argv[2])))
    print(json.dumps(spent.told()), file=answers)


if __name__ == "__main__":
    main()
