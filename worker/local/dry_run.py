"""`rapport evaluate --dry-run`: what it would take, with nothing loaded but tokenizers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile

from evaluator.context_mode import Bm25, Dense
from evaluator.engines.base import Completion
from evaluator.estimate import ASSUMPTIONS, Cost, ModelSize, Work, cost, model_size, scaled
from evaluator.generate import generate, sampling_of
from evaluator.hicupid.contexts import make_contexts
from evaluator.hicupid.selection import UserItems
from evaluator.judge import judge
from evaluator.models import PinnedModel, outline
from evaluator.records import Generation, Record, Verdict
from evaluator.references import ReferenceAnswers
from evaluator.setup import HicupidSetup, items, users_of
from leaderboard.settings import Settings
from worker.engines import gpu_share
from worker.local.tokenizers import Tokenizers
from worker.local.wanted import Wanted
from worker.planning import make_hicupid_setup

_MOST_USERS = 10
"""Users whose prompts are measured; more add little, for histories are of much the same length."""


class Estimate(Record):
    """What an evaluation would take."""

    items: int
    users: int
    measured_users: int
    """Users whose prompts were measured; the rest is taken to be like them."""
    model: Work | None
    """None where the answers come out of the data set."""
    model_cost: Cost | None
    wave_users: int | None
    """Users whose histories fit the key-value cache together."""
    judge: Work
    """Answers are taken to be as long as gold."""
    judge_cost: Cost

    def describe(self) -> str:
        """Says it in lines."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        """Yields the lines."""
        sampled = f", measured on {self.measured_users} of them" if self.measured_users < self.users else ""
        yield f"items          {self.items:,} of {self.users:,} users{sampled}"
        if self.model is not None and self.model_cost is not None:
            yield from described("model", self.model, self.model_cost)
            yield f"wave           {_or_unknown(self.wave_users, 'users')} at once"
        yield from described("judge", self.judge, self.judge_cost)
        yield f"assumed        {ASSUMPTIONS}"


def estimate(wanted: Wanted, settings: Settings, tokenizers: Tokenizers) -> Estimate:
    """Measures prompts with the tokenizers of model and judge, and works out what they would take.

    Args:
        wanted: What a person asks for, of HiCUPID.
        settings: Those of this machine.
        tokenizers: Load what is measured with.

    Raises:
        RapportError: What pinning, opening the data set or loading a tokenizer ended with.
    """
    setup = make_hicupid_setup(wanted.candidate, wanted.conditions, settings)
    asked = list(islice(items(setup), wanted.limit))
    setup = setup._replace(only=frozenset(item.question_id for item in asked))
    users = users_of(asked)
    sample = users[:: max(1, -(-len(users) // _MOST_USERS))]
    judge_model = PinnedModel(setup.judge.model, setup.judge_revision)
    share = gpu_share(setup, wanted.endpoints)
    work = None if setup.model.is_reference else _model_work(setup, sample, tokenizers)
    judging = _judge_work(setup, judge_model, sample, tokenizers)
    model = None if work is None else scaled(work, len(asked))
    spent = None if model is None else cost(model, size_of(setup.model, settings), share)
    return Estimate(
        items=len(asked),
        users=len(users),
        measured_users=len(sample),
        model=model,
        model_cost=spent,
        wave_users=_wave_users(model, spent, len(users)),
        judge=(verdicts := scaled(judging, sum(len(item.orders) for item in asked))),
        judge_cost=cost(verdicts, size_of(judge_model, settings), share),
    )


def _model_work(setup: HicupidSetup, sample: Sequence[UserItems], tokenizers: Tokenizers) -> Work:
    """Measures the prompts of some users."""
    sampling = sampling_of(setup)
    mode = setup.protocol.context
    if isinstance(mode, Dense):  # What an encoder finds is about as long as what BM25 finds, and costs no download.
        mode = Bm25(mode="bm25", unit=mode.unit, k=mode.k)
    tokenizer = tokenizers.of(setup.model)
    rows = list(generate(setup, sample, tokenizer, make_contexts(mode, tokenizer), {}))
    return work_of(rows, sampling.max_tokens + sampling.thought_tokens)


def _judge_work(setup: HicupidSetup, model: PinnedModel, sample: Sequence[UserItems], tokenizers: Tokenizers) -> Work:
    """Measures the judge's prompts on gold answers of some users."""
    gold = ReferenceAnswers(setup._replace(model=PinnedModel("reference/gold", "")))
    rows = judge(setup, sample, gold.answers(sample, {}), tokenizers.of(model), ())
    return work_of(list(takewhile(lambda row: row.attempt == 1, rows)), setup.judge.sampling.max_tokens)


def work_of(rows: Sequence[Generation] | Sequence[Verdict] | Sequence[Completion], answer_tokens: int) -> Work:
    """Adds up prompts; the tokenizer tells as cached what a cache that holds everything would give again."""
    sizes = [row.prompt_tokens for row in rows]
    shared = sum(row.cached_tokens or 0 for row in rows)
    return Work(
        prompts=len(sizes),
        prompt_tokens=sum(sizes),
        distinct_tokens=sum(sizes) - shared,
        longest_prompt=max(sizes, default=0),
        answer_tokens=len(sizes) * answer_tokens,
    )


def size_of(model: PinnedModel, settings: Settings) -> ModelSize:
    """Reads how large a model is, and how much of its context an engine would be set up for."""
    known = outline(model, settings.models)
    size = model_size(json.loads((known.folder / "config.json").read_bytes()), known.weight_bytes)
    return size._replace(context_length=min(size.context_length or settings.context_tokens, settings.context_tokens))


def _wave_users(model: Work | None, spent: Cost | None, users: int) -> int | None:
    """Returns how many users' histories and answers fit the cache together."""
    if model is None or spent is None or spent.cache_tokens is None or not users:
        return None
    a_user = (model.distinct_tokens + model.answer_tokens) / users
    return min(users, max(1, int(spent.cache_tokens / a_user))) if a_user else users


def counted(name: str, work: Work) -> Iterable[str]:
    """Yields what one of the two has to do."""
    yield f"{name} prompts  {work.prompts:,} with {work.prompt_tokens:,} tokens, the longest {work.longest_prompt:,}"
    yield f"  prefill      {work.distinct_tokens:,} distinct tokens at least"
    yield f"  answers      {work.answer_tokens:,} tokens at most"


def described(name: str, work: Work, spent: Cost) -> Iterable[str]:
    """Yields what one of the two has to do and takes."""
    yield from counted(name, work)
    yield f"  context      {_or_unknown(spent.context_length, 'tokens')}"
    yield f"  weights      {_or_unknown(spent.weight_gb, 'GB')}"
    yield f"  cache        {_or_unknown(spent.kv_kb_per_token, 'kB a token')}"
    yield f"  room         {_or_unknown(spent.cache_tokens, 'tokens beside the weights')}"
    yield f"  GPU time     {_or_unknown(spent.minutes, 'minutes')}"
    longest = work.longest_prompt + work.answer_tokens // max(1, work.prompts)
    if spent.context_length is not None and longest > spent.context_length:
        yield f"  too long     {longest:,} tokens with the answer at most: such items fail as context_overflow"


def _or_unknown(value: float | None, unit: str) -> str:
    """Writes a figure with its unit."""
    return "unknown" if value is None else f"{value:,} {unit}"
