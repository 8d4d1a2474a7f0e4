"""The page's parts in their order, and which words each of them explains: the table of contents is made of this."""

from __future__ import annotations

from typing import NamedTuple


class Section(NamedTuple):
    """One part of the page."""

    anchor: str
    title: str
    terms: tuple[str, ...] = ()
    """Names of `TERMS`, in the order in which it explains them."""


SECTIONS = (
    Section("method", "What is measured", ("gold", "persona", "profile", "schedule")),
    Section("scoring", "From verdicts to a Total", ("score", "position-consistency", "total")),
    Section("gaps-in-data", "What is missing", ("missing", "judged", "defect", "worst-case")),
    Section("certainty", "How sure a figure is", ("interval", "rank", "ranking")),
    Section("judging", "Who judges", ("judge", "canaries")),
    Section(
        "people",
        "What people say",
        ("agreement", "kappa", "f1", "spearman", "one-more-human", "noise-ceiling", "simulated", "gap"),
    ),
    Section("histories", "Long histories, new users", ("long-context", "generalisation")),
    Section("protocols", "Protocols"),
    Section(
        "columns",
        "Other words on the board",
        ("reference", "bleu", "rouge", "evidence", "verdicts", "prefill-efficiency", "facts", "training-data", "model"),
    ),
    Section("limits", "What the numbers do not tell"),
    Section("security", "Security"),
    Section("cite", "How to cite"),
    Section("data", "How to read the data"),
    Section("contact", "Who maintains, how to report"),
    Section("changelog", "What changed"),
)
