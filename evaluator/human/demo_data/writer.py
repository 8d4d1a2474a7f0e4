"""Writes a demo set with simulated labels; its card says of everything in it that it is made up."""

from __future__ import annotations

from pathlib import Path

from evaluator.human.demo_data.generator import generate_demo
from evaluator.human.demo_data.sizes import SEED, SMALL, DemoSize
from evaluator.human.layout import About, HumanTables
from evaluator.human.simulation import SimulatedAnnotator, simulate_labels
from evaluator.human.writing import write_human_set

ANNOTATORS = (
    SimulatedAnnotator(annotator_id="simulated-1", skill=3.0, accepting=0.2, inclusive=-0.8, generous=0.0),
    SimulatedAnnotator(annotator_id="simulated-2", skill=2.6, accepting=-0.2, inclusive=-1.5, generous=-0.3),
    SimulatedAnnotator(annotator_id="simulated-3", skill=2.2, accepting=0.0, inclusive=-0.7, generous=0.4),
    SimulatedAnnotator(annotator_id="simulated-4", skill=1.8, accepting=-0.4, inclusive=-1.8, generous=0.0, drift=0.4),
    SimulatedAnnotator(annotator_id="simulated-5", skill=1.4, accepting=0.5, inclusive=-0.6, generous=0.6),
)
"""Who labels a demo set: from careful to careless, mostly sparing with a yes; one of them changes over time."""
_PER_ITEM = (3, 4)

_SOURCE = (
    "Invented users, conversations, attributes and answers, composed by a seeded program from text that was written "
    "for this project. Labels are drawn by a simulation of annotators with a known skill and bias. Nobody has said, "
    "labelled or rated anything here."
)


def demo_tables(size: DemoSize = SMALL, seed: int = SEED) -> HumanTables:
    """Returns all rows of a demo set, with three or four simulated labels an item; equal arguments give equal rows.

    Example:
        >>> {label.kind.value for label in demo_tables().response_ratings}
        {'simulated'}
    """
    demo = generate_demo(size, seed)
    return simulate_labels(demo.tables, demo.truth, ANNOTATORS, seed=seed, per_item=_PER_ITEM)


def write_demo_human_set(folder: Path, size: DemoSize = SMALL, seed: int = SEED) -> None:
    """Writes a demo set; equal arguments give equal bytes.

    Args:
        folder: Where it appears.
        size: How large it is.
        seed: Any integer.

    Raises:
        ValueError: If the size is out of range.
        FileExistsError: If the folder holds something else.

    Example:
        >>> write_demo_human_set(Path("demo"))  # doctest: +SKIP
    """
    write_human_set(folder, demo_tables(size, seed), _about(seed))


def _about(seed: int) -> About:
    """Returns what the card says."""
    columns = ("skill", "accepting", "inclusive", "generous", "drift")
    rows = [(f"`{each.annotator_id}`", *(str(getattr(each, name)) for name in columns)) for each in ANNOTATORS]
    lines = [" | ".join(line) for line in (("simulated annotator", *columns), ("---",) * (1 + len(columns)), *rows)]
    said = f"Seed: {seed}. The same size and seed write the same bytes again."
    return About(
        title="Rapport human demo set (simulated labels)",
        source=_SOURCE,
        licence="apache-2.0",
        visibility="public",
        redistributable=True,
        personal_data="synthetic",
        languages=("en",),
        text=said + "\n\n" + "\n".join(f"| {line} |" for line in lines),
    )
