"""Stage 1, extraction, behind the model: near-duplicates are merged, and the rest is matched with what people accepted.

Both compare vectors by their cosine, at the same bound. What a bound of 0.7 means depends on the encoder, so its name
belongs to every figure that follows from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from evaluator.encoders.base import Vectors
from evaluator.human.stages.extraction import ExtractedAttribute

LEAST_COSINE = 0.7
"""What is this near says the same, as in the paper."""
_DIGITS = 6
"""Of a cosine: an encoder's own rounding, which changes with what is encoded together, must decide nothing."""

Table: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"


class Merged(NamedTuple):
    """Attributes that say the same, and the one that stands for them.

    Attributes:
        attribute: The most confident of them.
        places: Where they stand in what was merged, in order.
    """

    attribute: ExtractedAttribute
    places: tuple[int, ...]


class Match(NamedTuple):
    """An extracted attribute and the accepted one that it is taken for.

    Attributes:
        extracted: Place among the extracted ones.
        accepted: Place among the accepted ones.
        cosine: Of their vectors.
    """

    extracted: int
    accepted: int
    cosine: float


def one_vector_each(encoded: Sequence[Vectors]) -> Table:
    """Returns one vector for each encoded text, shape (texts, dimensions): the mean of its windows.

    Attributes are short and have one window in nearly every encoder.

    Example:
        >>> one_vector_each([np.array([[1, 0]], np.float32), np.array([[0, 1], [0, 3]], np.float32)]).tolist()
        [[1.0, 0.0], [0.0, 2.0]]
    """
    return np.array([windows.astype(np.float64).mean(axis=0) for windows in encoded])


def merge(attributes: Sequence[ExtractedAttribute], vectors: Table) -> tuple[Merged, ...]:
    """Returns the attributes of one user with near-duplicates merged, in the order of their first places.

    Clusters grow from single attributes while two of them are nearer to each other than a cosine distance of 0.3 on
    average over all their pairs (average linkage). The nearest pair alone (single linkage) would chain different facts
    together through one in between; the farthest alone (complete linkage) would keep paraphrases apart for one odd
    pair. The order in which attributes are given decides nothing.

    Of a cluster the most confident text stays; between equals the shorter one, which claims less, and between these the
    first by code point.

    Args:
        attributes: Of all conversations of a user.
        vectors: Of their texts, shape (attributes, dimensions); none is zero.

    Raises:
        ValueError: If there is not one vector for each attribute, or one is zero or not finite.

    Example:
        >>> bees, hives, chess = (
        ...     ExtractedAttribute(text=f"The user {what}.", confidence=sure)
        ...     for what, sure in (("keeps bees", 0.6), ("has hives", 0.9), ("plays chess", 0.5))
        ... )
        >>> found = merge([bees, hives, chess], np.array([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0]]))
        >>> [(each.attribute.text, each.places) for each in found]
        [('The user has hives.', (0, 1)), ('The user plays chess.', (2,))]
    """
    units = _units(vectors, len(attributes))
    order = sorted(range(len(attributes)), key=lambda place: (_standing(attributes[place]), place))
    clusters: dict[int, list[int]] = {}
    for place, label in zip(order, _labels(units[order]), strict=True):
        clusters.setdefault(label, []).append(place)
    merged = [Merged(attributes[places[0]], tuple(sorted(places))) for places in clusters.values()]
    return tuple(sorted(merged, key=lambda each: each.places))


def match(extracted: Table, accepted: Table, least: float = LEAST_COSINE) -> tuple[Match, ...]:
    """Returns which extracted attributes are taken for which accepted ones: their number over all accepted is recall.

    One is matched with one at most. Both sides were merged at the same bound and say different things within
    themselves, so one sentence that lies near to several accepted ones has found one of them: blurred sentences gain
    nothing. Of all ways to pair them off, as many as can be are paired, and of these ways the one with the highest sum
    of cosines is taken, so that the number does not depend on any order.

    Args:
        extracted: Vectors of a user's attributes as extracted and merged, shape (extracted, dimensions).
        accepted: Vectors of those that people accepted, shape (accepted, dimensions).
        least: A pair of less cosine is none.

    Raises:
        ValueError: If a vector is zero or not finite.

    Example:
        >>> match(np.array([[1.0, 0.0], [0.9, 0.1]]), np.array([[1.0, 0.0], [0.0, 1.0]]))
        (Match(extracted=0, accepted=0, cosine=1.0),)
    """
    if not len(extracted) or not len(accepted):
        return ()
    cosines = _cosines(_units(extracted, len(extracted)), _units(accepted, len(accepted)))
    fits = cosines >= least
    # A pair that fits outweighs all that cosines can add up to: first as many as can be, then the nearest.
    worth = np.where(fits, 2.0 * min(cosines.shape) + cosines, 0.0)
    from scipy.optimize import linear_sum_assignment  # Whoever reads matches alone starts sooner without it.

    rows, columns = linear_sum_assignment(worth, maximize=True)
    return tuple(
        Match(int(row), int(column), float(cosines[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if fits[row, column]
    )


def _standing(attribute: ExtractedAttribute) -> tuple[float, int, str]:
    """Orders attributes: the one to keep comes first."""
    return -attribute.confidence, len(attribute.text), attribute.text


def _labels(units: Table) -> list[int]:
    """Returns the number of each vector's cluster."""
    if len(units) < 2:
        return [0] * len(units)
    from sklearn.cluster import AgglomerativeClustering  # Loading it takes half a second; most processes never merge.

    # Worked out beforehand, so that distances are rounded and those of equal texts are 0.
    distances = 1.0 - _cosines(units, units)
    np.fill_diagonal(distances, 0.0)
    clustering = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=round(1.0 - LEAST_COSINE, _DIGITS)
    )
    return [int(label) for label in clustering.fit_predict(distances)]


def _cosines(left: Table, right: Table) -> Table:
    """Returns the cosine of each vector on the left with each on the right, in -1..1."""
    cosines: Table = np.clip(np.round(left @ right.T, _DIGITS), -1.0, 1.0)
    return cosines


def _units(vectors: Table, count: int) -> Table:
    """Returns vectors of length 1."""
    if len(vectors) != count:
        raise ValueError(f"there are {len(vectors)} vectors for {count} texts")
    if not count:
        return np.empty((0, 0))
    table = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise ValueError("a vector is zero or not finite")
    units: Table = table / lengths
    return units
