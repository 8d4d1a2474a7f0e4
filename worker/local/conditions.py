"""In what this machine differs from the one that a published row was made on, and what that may change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.records import Record
from evaluator.suites import RunSetup
from leaderboard.records import Lane, ShardReport
from leaderboard.results import Scorecard


class Change(Record):
    """One thing that is not as it was."""

    name: str
    there: str
    """What the published row was made with; empty where it is not told."""
    here: str
    """What is found here."""
    effect: str
    """What it may change."""
    stops: bool
    """Whether it makes the comparison meaningless."""

    def describe(self) -> str:
        """Says it in a line.

        Example:
            >>> Change(name="dtype", there="float32", here="bfloat16", effect="rounding", stops=False).describe()
            'dtype: float32 there, bfloat16 here; rounding'
        """
        return f"{self.name}: {self.there or 'not told'} there, {self.here or 'not told'} here; {self.effect}"


class _Meaning(NamedTuple):
    effect: str
    remedy: str = ""
    """What makes it equal; of what stops alone."""


_STOPPING = {
    "protocol": _Meaning(
        "other questions, prompts, sampling or seed", "check out the version of Rapport that the row was made with"
    ),
    "prompt pack": _Meaning("every prompt is another one", "import the same prompts with `rapport prompts import`"),
    "data": _Meaning("other questions or histories", "name the same data set at the same state with --data"),
    "model": _Meaning("another model answers", "put the same files there; `local/NAME` is named by its content"),
    "adapter": _Meaning("another adapter answers", "put the same files there; `local/NAME` is named by its content"),
    "judge configuration": _Meaning(
        "another judge", "check out the version of Rapport that the row was made with, or take --no-judge"
    ),
    "judge revision": _Meaning("another judge", "put the judge's files of that state there, or take --no-judge"),
}
_ARITHMETIC = "sums are rounded otherwise, which turns near-ties"
_EFFECTS = {
    "engine": _ARITHMETIC,
    "version": _ARITHMETIC,
    "dtype": "all sums are rounded otherwise: many answers may differ",
    "hardware": _ARITHMETIC,
    "context": "retrieval may show other dialogues",
    "flag adapter": "another adapter answers",
    "flag batch_invariant": "whether an answer depends on what else is in its batch",
    "flag block_size": "how much of a prompt is taken from the cache, which turns near-ties",
    "flag context_used": "long prompts may fail as context_overflow, or no longer do",
    "flag context_declared": "the model's files declare another context",
    "flag confined": "nothing of what is computed",
    "flag enforce_eager": _ARITHMETIC,
    "flag gpu_share": "how many prompts are computed together, which turns near-ties",
    "flag kv_cache_gib": "how many prompts are computed together, which turns near-ties",
    "flag kv_cache_tokens": "how many prompts are computed together, which turns near-ties",
    "flag prefix_caching": "how much of a prompt is taken from the cache, which turns near-ties",
    "flag seed": "answers that are drawn; greedy ones stay",
}


def changed_setup(card: Scorecard, setup: RunSetup, lanes: frozenset[Lane]) -> list[Change]:
    """Returns what of a run's setup is not that of a scorecard: all of it makes a comparison meaningless.

    Args:
        card: The published one.
        setup: What would be run here.
        lanes: What would be done; nothing is said of a judge that is not asked, or of a model.
    """
    common = {
        "protocol": (card.protocol_config, setup.protocol.digest()),
        "prompt pack": (card.prompt_pack, setup.pack.id),
        "data": (card.data_sha, setup.data.sha),
    }
    of_model = {
        "model": (card.revision, setup.model.sha),
        "adapter": (card.adapter_revision or "none", setup.adapter.sha if setup.adapter else "none"),
    }
    of_judge = {
        "judge configuration": (card.judge_config, setup.judge.digest()),
        "judge revision": (card.judge_revision, setup.judge_revision),
    }
    looked_at = {
        **common,
        **(of_model if Lane.GENERATE in lanes else {}),
        **(of_judge if Lane.JUDGE in lanes else {}),
    }
    return [
        Change(name=name, there=there, here=here, effect=_STOPPING[name].effect, stops=True)
        for name, (there, here) in looked_at.items()
        if there != here
    ]


def changed_engines(card: Scorecard, reports: Sequence[ShardReport], lanes: frozenset[Lane]) -> list[Change]:
    """Returns what of the engines is not as a scorecard tells: it may turn near-ties, and is named.

    Args:
        card: The published one.
        reports: What the repeated run was made on; the last one of each lane counts.
        lanes: What was done.
    """
    last = {report.lane: report for report in reports}
    changes: list[Change] = []
    if Lane.GENERATE in lanes:
        changes += _compared("", _of_model(card), _of_report(last[Lane.GENERATE]))
    if Lane.JUDGE in lanes:
        judge = {
            "engine": card.judge_engine,
            "version": card.judge_engine_version,
            "dtype": card.judge_dtype,
            "hardware": card.judge_hardware,
        }
        here = _of_report(last[Lane.JUDGE])
        changes += _compared("judge ", judge, {name: here[name] for name in judge})
    return changes


def refuse(changes: Iterable[Change]) -> None:
    """Refuses to compare what cannot be compared.

    Raises:
        RapportError: `data_error`, naming each difference and what makes it equal.
    """
    if stopping := [change for change in changes if change.stops]:
        told = " ".join(f"{change.describe()}." for change in stopping)
        remedies = "; ".join(dict.fromkeys(_STOPPING[change.name].remedy for change in stopping))
        raise RapportError(
            Cause.DATA_ERROR,
            f"What is here is not what the row was made with. {told}",
            f"Remedy: {remedies}. With --anyway it is run all the same.",
        )


def _of_model(card: Scorecard) -> dict[str, str]:
    return _told(card.engine, card.engine_version, card.dtype, card.hardware, card.context, card.engine_flags)


def _of_report(report: ShardReport) -> dict[str, str]:
    return _told(
        report.engine, report.engine_version, report.dtype, report.hardware, report.context, report.engine_flags
    )


def _told(engine: str, version: str, dtype: str, hardware: str, context: Any, flags: Any) -> dict[str, str]:
    """Returns what is told of an engine, by name."""
    told = {"engine": engine, "version": version, "dtype": dtype, "hardware": hardware}
    contexts = {f"context {name}": value for name, value in context}
    return told | contexts | {f"flag {name}": value for name, value in flags}


def _compared(of: str, there: dict[str, str], here: dict[str, str]) -> Iterator[Change]:
    """Yields what differs, in the order of what was there."""
    for name in dict.fromkeys([*there, *here]):
        old, new = there.get(name, ""), here.get(name, "")
        if old != new:
            effect = _EFFECTS.get(name) or _EFFECTS.get(name.partition(" ")[0], "not known")
            yield Change(name=of + name, there=old, here=new, effect=effect, stops=False)
