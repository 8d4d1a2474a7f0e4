"""Runs the canaries of judges that say one word: rating judges, and verifiers."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from evaluator.engines.base import Engine, EngineInfo
from evaluator.errors import Cause, RapportError
from evaluator.human.judged.words import words_of
from evaluator.human.setup import HumanSetup
from evaluator.identity import digest
from evaluator.journal import Journal
from evaluator.judge import ask_judge, is_counted
from evaluator.judges.canaries import Canary, JudgeCheck
from evaluator.judges.canaries_words import Case, asked_of, canaries_of, cases_of, latest, word_figures
from evaluator.judges.spec import JudgeSpec
from evaluator.models import PinnedModel, pin
from evaluator.protocol import REFERENCE, Reference, load_protocol
from evaluator.records import Verdict
from leaderboard.settings import Settings
from worker.planning import DEMO, Candidate, Conditions, make_setup

log = logging.getLogger("rapport.judge")

_PROTOCOLS = {"rating": "human-uplift-demo-v1", "verifier": "human-extraction-demo-v1"}
"""Whose judge is of a kind; of the protocol itself nothing is asked."""
_CASES_AT_ONCE = 64


class Telling:
    """Tells in a log how far a check has come, every tenth of the way."""

    def __init__(self) -> None:
        """Has told nothing yet."""
        self._told = -1

    def told(self, rows: Sequence[Verdict], whole: int) -> None:
        """Takes all rows that are there; `whole` verdicts are waited for."""
        done = sum(map(is_counted, rows))
        if (share := 10 * done // whole) > self._told:
            self._told = share
            log.info("%d of %d verdicts", done, whole)


def words_setup(judge: JudgeSpec, data_set: str | None, wording: str, settings: Settings) -> HumanSetup:
    """Opens people's labels and the judge's commit.

    Args:
        judge: Of kind rating or verifier.
        data_set: A folder or a Hub data set of people's labels; None takes those that ship, which are simulated.
        wording: Must be the judge's own.
        settings: Those of this machine.

    Raises:
        RapportError: `not_found` for another wording; what opening a data set raises, `judge_error` if the judge is
            gone.
    """
    if wording != judge.prompt_pack:
        raise RapportError(
            Cause.NOT_FOUND,
            f"The judge {judge.id} is asked in the words of {judge.prompt_pack}, not of {wording}.",
            "Leave --prompts out.",
        )
    gold: PinnedModel = pin(f"{REFERENCE}{Reference.GOLD}", None, settings.models)
    conditions = Conditions(load_protocol(_PROTOCOLS[judge.kind]), judge, wording, data_set or DEMO)
    setup = make_setup(Candidate(gold, None, thinking=False), conditions, settings)
    if not isinstance(setup, HumanSetup):
        raise TypeError(f"{conditions.protocol.id} is not of the suite human")
    return setup


def canary_cases(setup: HumanSetup, judge: JudgeSpec) -> list[Case]:
    """Returns all that a judge is asked.

    Raises:
        RapportError: `data_error` if people have labelled nothing that canaries could stand in the place of.
    """
    if cases := cases_of(setup.data, judge):
        return cases
    wanted = "rated answers" if judge.kind == "rating" else "accepted attributes with evidence"
    raise RapportError(
        Cause.DATA_ERROR, f"The data set {setup.data.source} holds no {wanted}.", "Name another one with --data."
    )


def ask_words(
    setup: HumanSetup, judge: JudgeSpec, cases: Sequence[Case], engine: Engine, journal: Journal[Verdict]
) -> None:
    """Asks for the verdicts that are not there, some at a time, so that a kill loses little."""
    telling, whole = Telling(), len(cases)
    for start in range(0, whole, _CASES_AT_ONCE):
        asked = asked_of(setup, judge, cases[start : start + _CASES_AT_ONCE], engine.info)
        for _ in journal.append(ask_judge(asked, engine, tuple(journal.rows), setup.terms)):
            telling.told(journal.rows, whole)


def words_check(
    setup: HumanSetup, judge: JudgeSpec, cases: Sequence[Case], verdicts: Sequence[Verdict], engine: EngineInfo
) -> JudgeCheck:
    """Returns what a judge's verdicts on the canaries come to."""
    said = latest(verdicts)
    read = sum((row := said.get(case.about)) is not None and row.outcome is not None for case in cases)
    return JudgeCheck(
        kind=judge.kind,
        canaries=canaries_of(judge),
        judge=judge.id,
        judge_revision=setup.judge_revision,
        judge_config=judge.digest(),
        judge_engine=engine,
        prompt_pack=words_of(judge),
        data_sha=setup.data.sha,
        questions=sum(case.canary is Canary.CONSTANT for case in cases),
        users=len({case.user for case in cases}),
        verdicts=read,
        missing=len(cases) - read,
        prompt_tokens=sum(row.prompt_tokens for row in verdicts),
        output_tokens=sum(row.output_tokens for row in verdicts),
        rows_sha=digest(sorted([row.verdict_key, row.attempt, row.completion] for row in verdicts)),
        figures=word_figures(judge, cases, said),
    )
