"""Asks a judge about what a model wrote: rows in, rows out, and the model is never asked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from evaluator.ask import RowSink, StageClock, said_by
from evaluator.encoders.base import Encoder
from evaluator.engines.base import Engine
from evaluator.hicupid.outcomes import about
from evaluator.human.answers import lacking
from evaluator.human.items import HumanItem
from evaluator.human.judged.extracted import by_what_it_went_by, near_rows, rows_about, users_in
from evaluator.human.judged.mentioned import mentions_in
from evaluator.human.judged.prompts import prompts_of
from evaluator.human.judged.subjects import pairs_of, subjects_of
from evaluator.human.outcomes import what_was_said
from evaluator.human.setup import HumanSetup
from evaluator.human.tasks import JudgedTask, Task
from evaluator.judge import ask_judge, settled
from evaluator.judges.spec import JudgeSpec
from evaluator.records import Generation, Verdict


def judge_written(
    setup: HumanSetup,
    items: Sequence[HumanItem],
    generations: Iterable[Generation],
    engine: Engine,
    known: Iterable[Verdict],
    encoder: Encoder | None = None,
) -> Iterator[Verdict]:
    """Yields the verdicts on some answers as they are finished, except those that `known` settles.

    Equal answers are judged once, whoever gave them. An answer with a defect is not judged.

    Args:
        setup: The run, of a task whose answers a judge reads.
        items: All of some groups: a generic answer never stands in another one than those beside it.
        generations: The answers to these, every attempt.
        engine: The judge.
        known: Verdicts that are there already; those of a judge that ran otherwise do not count.
        encoder: Compares extracted attributes; None where none are.

    Raises:
        RapportError: If the judge's engine, or the encoder, is gone.
        ValueError: If the task is not such a one.
    """
    task, judge, there = setup.protocol.task, setup.judge, list(known)
    if isinstance(task, Task) or not isinstance(judge, JudgeSpec):
        raise ValueError(f"nobody judges {setup.protocol.id}")
    sound = what_was_said(items, generations).sound
    pairs = pairs_of(items, sound)
    rules = [row for row in there if row.rater_kind == "rule"]
    for row in _found_by_rules(setup, items, sound, encoder, [row.verdict_key for row in there]):
        rules.append(row)
        yield row
    asked = prompts_of(setup, judge, subjects_of(task, items, sound, rules), pairs, engine.info)
    yield from ask_judge(asked, engine, said_by(engine.info, there), setup.terms)


def _found_by_rules(
    setup: HumanSetup,
    items: Sequence[HumanItem],
    sound: Mapping[str, Generation],
    encoder: Encoder | None,
    known: Sequence[str],
) -> Iterator[Verdict]:
    """Yields what rules find before a judge is asked."""
    if setup.protocol.task is JudgedTask.UPLIFT:
        yield from mentions_in(pairs_of(items, sound), setup.data, setup.terms, known)
    if setup.protocol.extraction is not None:
        if encoder is None:
            raise ValueError("extracted attributes cannot be compared without an encoder")
        for user in users_in(items, sound):
            yield from near_rows(user, setup.data, encoder, setup.protocol.extraction, setup.terms, known)


def ask_written_verdicts(
    setup: HumanSetup,
    items: Sequence[HumanItem],
    answers: Iterable[Generation],
    engine: Engine,
    known: Iterable[Verdict],
    sink: RowSink,
    clock: StageClock,
    encoder: Encoder | None = None,
) -> None:
    """Asks for the verdicts on some answers that are not there yet; see `judge_written`.

    Args:
        setup: The run.
        items: All of some groups.
        answers: The answers to these, every attempt.
        engine: The judge.
        known: What is there.
        sink: Where verdicts go.
        clock: Is told what the stage `judge` takes.
        encoder: As of `judge_written`.

    Raises:
        RapportError: As of `judge_written`.
    """
    with clock.stage("judge"):
        sink.verdicts(judge_written(setup, items, answers, engine, known, encoder))


def is_owed(
    task: JudgedTask, items: Sequence[HumanItem], generations: Sequence[Generation], verdicts: Iterable[Verdict]
) -> bool:
    """Says whether an answer, or a verdict that can be had, is left to ask for.

    Args:
        task: What is asked.
        items: All of it.
        generations: The answers that are there, every attempt.
        verdicts: All attempts of the run's judge that are there, and what rules found.
    """
    if lacking(items, generations):
        return True
    every, sound = list(verdicts), what_was_said(items, generations).sound
    rules = [row for row in every if row.rater_kind == "rule"]
    found = by_what_it_went_by(rules)
    if task is JudgedTask.EXTRACTION and any(rows_about(user, found) is None for user in users_in(items, sound)):
        return True
    finished = {about(row) for row in every if row.rater_kind == "model" and settled(row)}
    return any(subject.about not in finished for subject in subjects_of(task, items, sound, rules))
