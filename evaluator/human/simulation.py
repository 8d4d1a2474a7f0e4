"""Labels by simulated annotators of known skill and bias, for trying and testing; never taken for a person's.

What an annotator makes of an item is a number on one scale,

    latent = signal + user effect + item effect + (bias + drift * progress + noise) / skill,

where the signal is the truth (1 or -1, or how many points a response serves an attribute better), the effects are
normal and shared by all annotators, progress runs from 0 at an annotator's first item to 1 at the last, and the noise
is standard logistic. Above 0 an attribute is relevant; above `DOUBT` it is accepted, below `-DOUBT` rejected; a rating
is 3 + latent, rounded. For two classes this is the two-parameter logistic model of item response theory (Birnbaum
1968).

Each draw depends on the seed, the item and the annotator alone: further items change no label of an annotator who does
not drift.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

from pydantic import Field

from evaluator.human.layout import HumanTables
from evaluator.human.records import (
    Annotator,
    AttributeLabel,
    Name,
    RaterKind,
    Rating,
    RelevanceLabel,
    ResponseRating,
    Verification,
)
from evaluator.records import Record

DOUBT = 0.3
"""How far from 0 an annotator has to be to know what to make of an attribute."""
_START = datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC)
_SECONDS_A_LABEL = 30


class SimulatedAnnotator(Record):
    """How an annotator labels.

    Example:
        >>> annotator = SimulatedAnnotator(annotator_id="simulated-1", skill=2, inclusive=-0.5)
        >>> annotator.chance_of_relevant(True), annotator.chance_of_relevant(False)
        (0.82, 0.08)
    """

    annotator_id: Name
    skill: float = Field(gt=0)
    """Weight of what is there against chance: near 0 all is chance; at 2, 88 of 100 labels are right without bias."""
    accepting: float = 0.0
    """Bias towards accepting attributes, in logits: 1 nearly triples the odds."""
    inclusive: float = 0.0
    """Bias towards calling attributes relevant, in logits."""
    generous: float = 0.0
    """Bias towards high ratings, in logits."""
    drift: float = 0.0
    """What is added to each bias by the last item of its stage."""

    def chance_of_relevant(self, relevant: bool) -> float:
        """Returns the probability of calling something relevant at the start, without effects, to two digits."""
        return round(1 / (1 + math.exp(-self.skill * _sign(relevant) - self.inclusive)), 2)


class Truth(NamedTuple):
    """What a generator knows of its items; what is not in it gets no label."""

    makes_sense: Mapping[str, bool]
    """By attribute."""
    relevant: Mapping[tuple[str, str], bool]
    """By prompt and attribute."""
    uplift: Mapping[tuple[str, str], float]
    """By response and attribute: points on the scale of ratings, 0 where the personalised answer is no better."""


class Effects(NamedTuple):
    """Standard deviations of what all annotators of an item share besides the truth."""

    user: float = 0.3
    item: float = 0.4


class _Stage(NamedTuple):
    """One of the three tasks."""

    number: int
    bias: Callable[[SimulatedAnnotator], float]


_VERIFICATION = _Stage(1, lambda annotator: annotator.accepting)
_RELEVANCE = _Stage(2, lambda annotator: annotator.inclusive)
_RESPONSE = _Stage(3, lambda annotator: annotator.generous)


class _Item(NamedTuple):
    """What is labelled."""

    key: tuple[str, ...]
    user: str
    signal: float


class _Judgement(NamedTuple):
    """What an annotator makes of an item, and when."""

    item: _Item
    annotator: SimulatedAnnotator
    latent: float
    at: datetime.datetime


def simulate_labels(
    tables: HumanTables,
    truth: Truth,
    annotators: Sequence[SimulatedAnnotator],
    *,
    seed: int,
    per_item: tuple[int, int] = (3, 3),
    effects: Effects = Effects(),  # noqa: B008 - it is frozen
) -> HumanTables:
    """Returns a data set with simulated labels of all that the truth knows, in place of labels and annotators it has.

    Args:
        tables: Attributes, prompts and responses.
        truth: What is true of them.
        annotators: Who labels; each labels a part of the items, in an order of his own.
        seed: Any integer.
        per_item: Fewest and most annotators of an item; how many of these it is, is drawn for each.
        effects: How much annotators share besides the truth.

    Raises:
        ValueError: If an item would need more annotators than there are, or none.
        KeyError: If the truth knows of an attribute that is not there.

    Example:
        >>> from evaluator.human.demo_data import ANNOTATORS, SMALL, generate_demo
        >>> demo = generate_demo(SMALL, seed=1)
        >>> labelled = simulate_labels(demo.tables, demo.truth, ANNOTATORS, seed=1)
        >>> len(labelled.attribute_labels) == 3 * len(demo.tables.attributes)
        True
    """
    fewest, most = per_item
    if not 1 <= fewest <= most <= len(annotators):
        raise ValueError(f"per_item must lie within 1 and {len(annotators)}, the number of annotators, not {per_item}")
    users = {row.attribute_id: row.user_id for row in tables.attributes}
    items: dict[_Stage, Iterator[_Item]] = {
        _VERIFICATION: (_Item((name,), users[name], _sign(holds)) for name, holds in truth.makes_sense.items()),
        _RELEVANCE: (_Item(pair, users[pair[1]], _sign(holds)) for pair, holds in truth.relevant.items()),
        _RESPONSE: (_Item(pair, users[pair[1]], uplift) for pair, uplift in truth.uplift.items()),
    }
    verified, related, rated = (
        _judgements(stage, some, annotators, seed, per_item, effects) for stage, some in items.items()
    )
    return tables._replace(
        annotators=tuple(Annotator(annotator_id=each.annotator_id, kind=RaterKind.SIMULATED) for each in annotators),
        attribute_labels=tuple(_attribute_label(each) for each in verified),
        relevance_labels=tuple(_relevance_label(each) for each in related),
        response_ratings=tuple(_response_rating(each) for each in rated),
    )


def _judgements(
    stage: _Stage,
    items: Iterable[_Item],
    annotators: Sequence[SimulatedAnnotator],
    seed: int,
    per_item: tuple[int, int],
    effects: Effects,
) -> Iterator[_Judgement]:
    """Yields what annotators make of the items of a stage, item by item."""
    key = f"{seed}:{stage.number}"
    assigned = [(item, _who(item, annotators, key, per_item)) for item in items]
    places = _places(assigned, key)
    for item, chosen in assigned:
        shared = effects.user * _normal(f"{seed}:user:{item.user}") + effects.item * _normal(f"{key}:{item.key}")
        for annotator in chosen:
            place, count = places[annotator.annotator_id][item.key], len(places[annotator.annotator_id])
            lean = stage.bias(annotator) + annotator.drift * place / max(1, count - 1)
            noise = _logistic(f"{key}:{item.key}:{annotator.annotator_id}")
            latent = item.signal + shared + (lean + noise) / annotator.skill
            at = _START + datetime.timedelta(days=stage.number - 1, seconds=place * _SECONDS_A_LABEL)
            yield _Judgement(item, annotator, latent, at)


def _who(
    item: _Item, annotators: Sequence[SimulatedAnnotator], key: str, per_item: tuple[int, int]
) -> list[SimulatedAnnotator]:
    """Draws the annotators of an item; they stay in their order."""
    fewest, most = per_item
    count = fewest + int(_uniform(f"{key}:count:{item.key}") * (most - fewest + 1))
    drawn = sorted(annotators, key=lambda each: _uniform(f"{key}:who:{item.key}:{each.annotator_id}"))[:count]
    return [each for each in annotators if each in drawn]


def _places(
    assigned: Iterable[tuple[_Item, Iterable[SimulatedAnnotator]]], key: str
) -> dict[str, dict[tuple[str, ...], int]]:
    """Returns, for each annotator, the places of the items in the random order in which he sees them."""
    items: dict[str, list[tuple[str, ...]]] = {}
    for item, chosen in assigned:
        for annotator in chosen:
            items.setdefault(annotator.annotator_id, []).append(item.key)
    return {
        name: {item: place for place, item in enumerate(sorted(keys, key=lambda of: _uniform(f"{key}:{name}:{of}")))}
        for name, keys in items.items()
    }


def _attribute_label(judgement: _Judgement) -> AttributeLabel:
    """Says whether an attribute makes sense."""
    if abs(judgement.latent) <= DOUBT:
        label = Verification.UNCERTAIN
    else:
        label = Verification.ACCEPTED if judgement.latent > 0 else Verification.REJECTED
    (name,) = judgement.item.key
    return AttributeLabel(attribute_id=name, label=label, **_common(judgement))


def _relevance_label(judgement: _Judgement) -> RelevanceLabel:
    """Says whether an attribute should change the response."""
    prompt, attribute = judgement.item.key
    return RelevanceLabel(prompt_id=prompt, attribute_id=attribute, relevant=judgement.latent > 0, **_common(judgement))


def _response_rating(judgement: _Judgement) -> ResponseRating:
    """Rates how an attribute is served."""
    response, attribute = judgement.item.key
    points = math.floor(Rating.NO_DIFFERENCE + judgement.latent + 0.5)
    rating = Rating(min(max(points, Rating.MUCH_WORSE), Rating.MUCH_BETTER))
    return ResponseRating(response_id=response, attribute_id=attribute, rating=rating, **_common(judgement))


class _Common(NamedTuple):
    annotator_id: str
    kind: RaterKind
    labelled_at: datetime.datetime


def _common(judgement: _Judgement) -> dict[str, object]:
    """Returns what all labels have."""
    return _Common(judgement.annotator.annotator_id, RaterKind.SIMULATED, judgement.at)._asdict()


def _sign(holds: bool) -> float:
    return 1.0 if holds else -1.0


def _uniform(key: str) -> float:
    """Draws a number above 0 and below 1 that depends on a key alone, on every machine alike."""
    bits = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) >> 12
    return (bits + 0.5) / 2**52


def _normal(key: str) -> float:
    """Draws from the standard normal distribution."""
    return NormalDist().inv_cdf(_uniform(key))


def _logistic(key: str) -> float:
    """Draws from the standard logistic distribution."""
    chance = _uniform(key)
    return math.log(chance / (1 - chance))
