"""Lays results of human-grounded tasks out by the names of their figures, so that they can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from evaluator.human.results import HumanResult, Judging, NamedFigure


def laid_out(result: HumanResult) -> dict[str, Any]:
    """Returns a result; what a judge had to say stands there if one said anything."""
    told = {name: value for name, value in result.model_dump().items() if name not in ("figures", "judging")}
    judging = {"judging": judging_laid_out(result.judging)} if result.judging else {}
    return {**told, "figures": by_name(result.figures), **judging}


def judging_laid_out(judging: Judging) -> dict[str, Any]:
    """Returns what a judge had to say."""
    return {**judging.model_dump(), "figures": by_name(judging.figures)}


def by_name(figures: Iterable[NamedFigure]) -> dict[str, Any]:
    """Returns figures."""
    return {figure.name: {key: value for key, value in asdict(figure).items() if key != "name"} for figure in figures}
