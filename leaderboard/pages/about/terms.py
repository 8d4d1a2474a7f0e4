"""What each word of the site means, in a sentence: the page about the method has a place for each of them.

Names are anchors: `/about#total` explains the Total, for good, so that tooltips and other sites may link there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

PAGE: Final = "/about"


class Term(NamedTuple):
    """One word."""

    title: str
    says: str
    """One sentence, or two short ones, that need no other page."""


_OF_A_MODEL: Mapping[str, str] = MappingProxyType(
    {
        "size": "Size is the number of parameters, counted in the headers of the model's weight files.",
        "licence": "Licence is the one that the model's card names.",
        "length": "Context is how many tokens of prompt and answer together the model takes, as it declares.",
        "family": (
            "Family is the line of models that it comes from, by its name and what it declares, with the class that "
            "its config.json names."
        ),
        "model": "The model as it was handed in, with all that marks how it was run and why it may not rank.",
        "submitter": "Submitter is who handed it in.",
        "date": "Date is when the result was made.",
    }
)
"""Sentences on columns that share a word, by the column's name."""


def _all(*columns: str) -> str:
    """Returns the sentences on some columns."""
    return " ".join(_OF_A_MODEL[name] for name in columns)


TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "gold": Term(
            "Gold",
            "The personalised answer that the data set itself gives: the level that scores 50.",
        ),
        "persona": Term(
            "Persona",
            "Share of answers on what a user likes or dislikes that the judge found better than, as good as, or worse "
            "than gold.",
        ),
        "profile": Term(
            "Profile",
            "The same of questions that need what a user likes and who he is at once.",
        ),
        "schedule": Term(
            "Schedule",
            "Share of requests that clash with an appointment where the answer says so.",
        ),
        "score": Term(
            "Score",
            "Wins and half of the ties, in % of the answers judged: 50 is as good as gold.",
        ),
        "position-consistency": Term(
            "Consistency",
            "Share of pairs whose verdicts agree whichever answer the judge reads first.",
        ),
        "total": Term(
            "Total",
            "Persona, profile and schedule together, by their numbers of questions, a minded appointment counting "
            "half: 50 is as good as gold, and 87.5 is the most there is.",
        ),
        "missing": Term(
            "Missing",
            "Verdicts that the judge or the machine failed to give; they never count as a tie or a loss.",
        ),
        "judged": Term(
            "Judged",
            "Items of which no verdict is missing: figures are of these, and say how many they are.",
        ),
        "defect": Term(
            "Lost by defect",
            "Answers that lose without a verdict: empty, with control tokens, or repeating without an end.",
        ),
        "worst-case": Term(
            "Worst case",
            "The Total if every missing verdict were a loss.",
        ),
        "interval": Term(
            "Interval",
            "A range that 95 times in 100 holds what the figure would be over all users of the kind; it counts users, "
            "not answers, and below ten users there is none.",
        ),
        "rank": Term(
            "Rank",
            "One more than the number of models that are significantly better; in brackets all ranks that the data "
            "leave open, at 95 % for the whole ranking at once.",
        ),
        "ranking": Term(
            "Ranking",
            "Results of one protocol under the same judge, prompts, data and context; nothing else is ranked together.",
        ),
        "judge": Term(
            "Judge",
            "The model that reads answers and decides; marked unless it decides official ranks.",
        ),
        "canaries": Term(
            "Canaries",
            "Answers that deserve nothing, and some that deserve a tie: a judge that falls for them may not rank.",
        ),
        "agreement": Term(
            "Human agreement",
            "How far a model, or a judge, says what those who labelled the same items say.",
        ),
        "kappa": Term(
            "Kappa",
            "Agreement beyond chance: 1 is always, 0 no more than chance would bring.",
        ),
        "f1": Term(
            "F1",
            "How well a model finds what is in a class: 1 if it names all of it and nothing else, 0 if it never does.",
        ),
        "spearman": Term(
            "Spearman",
            "Whether two raters put items in the same order: 1 is the same order, 0 none in common, −1 the reverse.",
        ),
        "one-more-human": Term(
            "One more human",
            "What an annotator reaches against the same others, on the same items: people differ too.",
        ),
        "noise-ceiling": Term(
            "Noise ceiling",
            "What no rater can pass on these very items, since people contradict each other.",
        ),
        "simulated": Term(
            "Simulated labels",
            "Labels of a program; they say nothing of people, are marked wherever they show, and never rank.",
        ),
        "gap": Term(
            "Synthetic-to-human gap",
            "F1 on HiCUPID's made-up users less the same on labels; above 0, made-up users flatter the model.",
        ),
        "long-context": Term(
            "Long-context gap",
            "Persona score with the whole history less that with the needed dialogues alone: below 0 where a long "
            "history costs the model.",
        ),
        "generalisation": Term(
            "Generalisation",
            "Total for users never seen in training less that for seen ones.",
        ),
        "reference": Term(
            "References",
            "Answers that no model gave: gold itself, the data set's answer that ignores the user, and none at all.",
        ),
        "bleu": Term(
            "BLEU",
            "Mean sentence BLEU against gold; it tells how alike the words are, not how good the answer is.",
        ),
        "rouge": Term("ROUGE-L", "Mean ROUGE-L F1 against gold; likewise of words alone."),
        "evidence": Term(
            "Evidence shown",
            "Share of the dialogues that a question needs which the context showed the model.",
        ),
        "prefill-efficiency": Term(
            "Prefill efficiency",
            "Distinct prompt tokens over prompt tokens computed: 1 where nothing was computed twice.",
        ),
        "verdicts": Term(
            "Verdicts",
            "Verdicts that were asked for and read; answers with a defect lose without one.",
        ),
        "facts": Term(
            "Size, licence, context, family",
            _all("size", "licence", "length", "family"),
        ),
        "training-data": Term(
            "Trained on HiCUPID",
            "Which part of HiCUPID the model was trained on, as its submitter declares; telling costs no rank.",
        ),
        "model": Term(
            "Model, submitter, date",
            _all("model", "submitter", "date"),
        ),
    }
)
"""By anchor."""

OF_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in ("rank", "total", "persona", "profile", "schedule", "generalisation", "bleu")},
        **{name: name for name in ("rouge", "evidence", "judge", "verdicts", "missing")},
        **dict.fromkeys(("verification", "relevance", "rating"), "agreement"),
        **dict.fromkeys(("gap-verification", "gap-relevance"), "gap"),
        **dict.fromkeys(("size", "licence", "length", "family"), "facts"),
        **dict.fromkeys(("model", "submitter", "date"), "model"),
        "lc": "long-context",
        "trained": "training-data",
        "consistency": "position-consistency",
        "efficiency": "prefill-efficiency",
    }
)
"""Which word explains a column of the board, by the column's name."""


def tip_of(column: str) -> str:
    """Returns what a column of the board means: what the page says of its word, or the part of it that is its own.

    Raises:
        KeyError: There is no such column.

    Example:
        >>> tip_of("date"), tip_of("schedule")
        ('Date is when the result was made.', \
'Share of requests that clash with an appointment where the answer says so.')
    """
    return _OF_A_MODEL[column] if column in _OF_A_MODEL else TERMS[OF_COLUMNS[column]].says


def address_of(term: str) -> str:
    """Returns where a word is explained.

    Raises:
        KeyError: There is no such word.

    Example:
        >>> address_of("rank")
        '/about#rank'
    """
    if term not in TERMS:
        raise KeyError(term)
    return f"{PAGE}#{term}"
