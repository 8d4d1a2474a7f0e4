"""Which lines of a table are shown: sets of lines as the bits of one number, so that thousands cost next to nothing.

Bit `n` of such a number says whether the table's line `n` belongs to the set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from leaderboard.pages.board.entries import Entry
from leaderboard.pages.board.state import SHOWN, SHOWN_UNASKED, BoardState
from leaderboard.pages.facts import SIZE_CLASSES, size_class
from leaderboard.records import TrainingData

NOT_TOLD = "not told"
TRAINED = {
    TrainingData.TRAIN: "yes",
    TrainingData.TEST: "yes",
    TrainingData.NEITHER: "no",
    TrainingData.UNKNOWN: "unknown",
}
TRAINED_IN_WORDS = {"no": "not on HiCUPID", "yes": "on HiCUPID", "unknown": "not known"}


class Facet(NamedTuple):
    """Something by which models are told apart; the field of the state of the same name holds what is asked for."""

    label: str
    whatever: str
    """What stands where nothing is asked for."""
    value: Callable[[Entry], str]
    """The value of a model."""
    words: Callable[[str], str] = str
    order: Sequence[str] = ()
    """All values in their order; empty where they are not known beforehand, and then the most frequent go first."""


FACETS: Mapping[str, Facet] = {
    "size": Facet(
        "Size",
        "any size",
        lambda entry: size_class(entry.facts.parameters if entry.facts else None),
        order=SIZE_CLASSES,
    ),
    "licence": Facet("Licence", "any licence", lambda entry: (entry.facts and entry.facts.licence) or NOT_TOLD),
    "family": Facet("Family", "any family", lambda entry: entry.family or NOT_TOLD),
    "trained": Facet(
        "Trained",
        "on anything",
        lambda entry: TRAINED[entry.row.declaration.training_data] if entry.row else "unknown",
        lambda value: TRAINED_IN_WORDS.get(value, value),
        tuple(TRAINED_IN_WORDS),
    ),
}


class Masks(NamedTuple):
    """Sets of lines of one table."""

    models: int
    """Those of models that were run here; all others are references or published."""
    kinds: Mapping[str, int]
    """By each of `SHOWN`; of models, those of a demo and those that are incomplete."""
    complete: int
    """Models of which every item is judged."""
    facets: Mapping[str, Mapping[str, int]]
    """By facet and value; models alone."""


class Found(NamedTuple):
    """What a state asks for of a table."""

    lines: int
    """All that are shown, but for pinned ones that are outside of it."""
    kinds: tuple[str, ...]
    """Kinds of rows beside the plain ones that may be among them."""
    unasked: bool
    """Whether `kinds` holds kinds that nobody asked for, since there is nothing else."""
    counts: Mapping[str, Mapping[str, int]]
    """By facet and value: models that would be shown with it, everything else staying as it is."""


def masks_of(entries: Sequence[Entry]) -> Masks:
    """Returns the sets of a table's lines."""
    facets: dict[str, dict[str, list[int]]] = {name: defaultdict(list) for name in FACETS}
    for place, entry in enumerate(entries):
        if entry.is_model:
            for name, facet in FACETS.items():
                facets[name][facet.value(entry)].append(place)
    return Masks(
        _mask(place for place, entry in enumerate(entries) if entry.is_model),
        {
            "references": _mask(place for place, entry in enumerate(entries) if entry.is_reference),
            "published": _mask(place for place, entry in enumerate(entries) if entry.published),
            "demo": _mask(place for place, entry in enumerate(entries) if entry.is_demo),
            "incomplete": _mask(place for place, entry in enumerate(entries) if entry.is_incomplete),
        },
        _mask(place for place, entry in enumerate(entries) if entry.is_model and _is_complete(entry)),
        {name: {value: _mask(places) for value, places in values.items()} for name, values in facets.items()},
    )


def text_of(entry: Entry) -> str:
    """Returns what is searched of a line, in one case: what people read, never markup."""
    if entry.published:
        parts: tuple[str | None, ...] = (entry.published.label, entry.published.setting, entry.published.source)
    elif entry.row:
        facts = entry.facts
        told = (facts.licence, facts.architecture) if facts else ()
        parts = (entry.row.model, entry.row.adapter, entry.row.submitter, entry.row.judge, entry.family, *told)
    else:
        parts = ()
    return "\n".join(part for part in parts if part).casefold()


def search(texts: Sequence[str], terms: Sequence[str]) -> int:
    """Returns the lines whose texts hold all of some terms.

    Args:
        texts: Of every line, see `text_of`.
        terms: In one case; none are held by every line.

    Example:
        >>> search(["org/qwen2-7b", "org/llama-7b", "org/qwen2-1b"], ["7b", "qwen"])
        1
    """
    places: Iterable[int] = range(len(texts))
    for term in terms:
        places = [place for place in places if term in texts[place]]
    return _mask(places)


def kinds_of(masks: Masks, asked: tuple[str, ...] | None) -> tuple[tuple[str, ...], bool]:
    """Returns the kinds of rows that are shown beside plain ones, and whether some of these were not asked for.

    Unasked, rows of a demo and incomplete ones are left out, unless no other model has a row.
    """
    if asked is not None:
        return asked, False
    hidden = masks.kinds["demo"] | masks.kinds["incomplete"]
    if masks.models & ~hidden or not hidden:
        return SHOWN_UNASKED, False
    return tuple(kind for kind in SHOWN if kind in SHOWN_UNASKED or masks.kinds[kind]), True


def find(masks: Masks, state: BoardState, matching: int) -> Found:
    """Returns what a state asks for.

    Args:
        masks: The table's sets.
        state: What is asked for.
        matching: The lines that its search terms find; see `search`.
    """
    kinds, unasked = kinds_of(masks, state.show)
    lines = masks.models
    for kind in ("demo", "incomplete"):
        if kind not in kinds:
            lines &= ~masks.kinds[kind]
    for kind in SHOWN_UNASKED:
        if kind in kinds:
            lines |= masks.kinds[kind]
    lines &= matching
    if state.complete:
        lines &= masks.complete
    chosen = {name: masks.facets[name].get(value, 0) for name in FACETS if (value := getattr(state, name))}
    counts = {name: _counts(masks, name, _all(lines, chosen, without=name)) for name in FACETS}
    return Found(_all(lines, chosen), kinds, unasked, counts)


def ordered(lines: int, order: Sequence[int]) -> list[int]:
    """Returns the lines of a set in some order.

    Example:
        >>> ordered(0b1011, [3, 2, 1, 0])
        [3, 1, 0]
    """
    bits = f"{lines:0{len(order)}b}"[::-1]
    return [place for place in order if bits[place] == "1"]


def _all(lines: int, chosen: Mapping[str, int], without: str = "") -> int:
    """Returns what is left of some lines by all facets but one."""
    for name, mask in chosen.items():
        if name != without:
            lines &= mask
    return lines


def _counts(masks: Masks, name: str, lines: int) -> dict[str, int]:
    """Counts lines by the values of a facet."""
    return {value: (lines & mask).bit_count() for value, mask in masks.facets[name].items()}


def _is_complete(entry: Entry) -> bool:
    """Says whether every item of a line is judged."""
    return entry.row is not None and entry.row.items > 0 and entry.row.judged == entry.row.items


def _mask(places: Iterable[int]) -> int:
    """Returns a set of lines."""
    found = list(places)
    bits = bytearray(max(found, default=-1) // 8 + 1)
    for place in found:
        bits[place // 8] |= 1 << place % 8
    return int.from_bytes(bits, "little")


def names_of(values: Iterable[str], counts: Mapping[str, int], facet: Facet) -> Iterator[str]:
    """Yields the values of a facet in the order in which they are offered."""
    if facet.order:
        yield from (value for value in facet.order if value in values)
        return
    yield from sorted(values, key=lambda value: (value == NOT_TOLD, -counts.get(value, 0), value))
