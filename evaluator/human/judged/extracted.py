"""What a model extracted from one user's conversations, and what an encoder finds near in it.

An encoder speaks in rows, as a judge does: of every extracted attribute, and of every one that people accepted, whether
another one stands for it (`merged`), and else whether it was found on the other side (`matched`) or not. What follows
is worked out from these rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from evaluator.encoders.base import Encoder
from evaluator.human.data import HumanData
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.items import claim_content, is_accepted
from evaluator.human.judged.rules import rule_key, rule_row
from evaluator.human.stages.extraction import ExtractedAttribute, read_extraction
from evaluator.human.stages.merging import LEAST_COSINE, Merged, match, merge, one_vector_each
from evaluator.identity import digest
from evaluator.protocol import Extraction
from evaluator.records import Generation, Outcome, Record, Terms, Verdict

_DIGITS = 6
"""Of a cosine in a row."""


Found: TypeAlias = Mapping[str, Mapping[str, Verdict]]
"""Rows of an encoder by what it went by, and then by what each is about."""


class Near(Record):
    """What an encoder went by; the words of its row."""

    stands_for: tuple[str, ...] = ()
    """Names of all that say the same, its own among them; empty if another one stands for it."""
    into: str | None = None
    """The one that stands for it."""
    found: str | None = None
    """Whom it is taken for on the other side."""
    cosine: float | None = None
    """How near the two are."""


class Claim(NamedTuple):
    """An attribute that a model extracted."""

    name: str
    """Its conversation and its place in the list, from 0."""
    answer: str
    """SHA-256 of the answer that lists it."""
    attribute: ExtractedAttribute


class Merger(NamedTuple):
    """An extracted attribute that stands for itself and all near it."""

    text: str
    evidence: tuple[str, ...]
    """Names of the conversations that it was extracted from, sorted."""

    @property
    def content_hash(self) -> str:
        """Names it by what a verifier reads."""
        return claim_content(self.text, self.evidence)


class OfUser(NamedTuple):
    """What there is of one user."""

    person: str
    item: HumanItem
    """The first one."""
    claims: tuple[Claim, ...]
    accepted: tuple[HumanItem, ...]
    """The attributes that more than half of people's labels accept."""
    answered: frozenset[str]
    """Names of the conversations whose lists can be read."""

    @property
    def went_by(self) -> str:
        """Names all that an encoder compares."""
        told = [[claim.name, claim.answer] for claim in self.claims]
        return digest([LEAST_COSINE, told, [[item.question_id, item.content_hash] for item in self.accepted]])[:16]

    def could_find(self, accepted: HumanItem) -> bool:
        """Says whether an accepted attribute could be found: a list of a conversation it stands in can be read."""
        return bool(self.answered.intersection(accepted.evidence) if accepted.evidence else self.answered)


def users_in(items: Iterable[HumanItem], sound: Mapping[str, Generation]) -> list[OfUser]:
    """Returns what there is of each user, in order of appearance.

    Args:
        items: All of these users.
        sound: The answers that count, by item.
    """
    by_user: dict[str, list[HumanItem]] = {}
    for item in items:
        by_user.setdefault(item.person, []).append(item)
    return [
        OfUser(
            person,
            own[0],
            tuple(_claims(own, sound)),
            tuple(item for item in own if item.part is Part.GIVEN and is_accepted(item)),
            frozenset(item.question_id for item in own if item.question_id in sound),
        )
        for person, own in by_user.items()
    ]


def _claims(items: Iterable[HumanItem], sound: Mapping[str, Generation]) -> Iterator[Claim]:
    """Yields what the answers about one user list."""
    for item in items:
        row = sound.get(item.question_id)
        if row is not None and row.answer is not None and row.content_hash is not None:
            for place, attribute in enumerate(read_extraction(row.answer).attributes):
                yield Claim(f"{item.question_id}/{place}", row.content_hash, attribute)


def near_rows(
    user: OfUser, data: HumanData, encoder: Encoder, told: Extraction, terms: Terms, known: Iterable[str]
) -> Iterator[Verdict]:
    """Yields what an encoder finds near of one user, unless it is known.

    Args:
        user: Of whom.
        data: Where the texts of accepted attributes are.
        encoder: What makes vectors of texts.
        told: How a protocol names it.
        terms: Of the rows.
        known: Keys of the rows that are there.
    """
    there = set(known)
    names = [(claim.name, claim.answer) for claim in user.claims]
    names += [(item.question_id, str(item.content_hash)) for item in user.accepted]
    revision = str(told.revision)
    keys = [rule_key(told.encoder, revision, name, content, data.shown_sha, user.went_by) for name, content in names]
    if {key.digest() for key in keys} <= there:
        return
    found = _near(user, data, encoder)
    for key in keys:
        near = found[key.question_id]
        outcome = Outcome.MERGED if near.into else Outcome.MATCHED if near.found else Outcome.UNMATCHED
        yield rule_row(key, outcome, terms, near.model_dump_json(exclude_defaults=True), encoder.info.library)


def _near(user: OfUser, data: HumanData, encoder: Encoder) -> dict[str, Near]:
    """Returns what is near of one user, by name."""
    claims = [claim.attribute for claim in user.claims]
    accepted = [
        ExtractedAttribute(text=data.attributes[item.attributes[0]].text, confidence=1.0) for item in user.accepted
    ]
    vectors = one_vector_each(encoder.encode([each.text for each in (*claims, *accepted)]))
    own, theirs = vectors[: len(claims)], vectors[len(claims) :]
    left, right = merge(claims, own), merge(accepted, theirs)
    left_names = [claim.name for claim in user.claims]
    right_names = [item.question_id for item in user.accepted]
    left_places = [_place(each, claims) for each in left]
    right_places = [_place(each, accepted) for each in right]
    found: dict[str, Near] = _merged(left, left_places, left_names) | _merged(right, right_places, right_names)
    if left and right:
        for pair in match(own[left_places], theirs[right_places]):
            one, other = left_names[left_places[pair.extracted]], right_names[right_places[pair.accepted]]
            cosine = round(pair.cosine, _DIGITS)
            found[one] = found[one].model_copy(update={"found": other, "cosine": cosine})
            found[other] = found[other].model_copy(update={"found": one, "cosine": cosine})
    return found


def _place(merged: Merged, attributes: Sequence[ExtractedAttribute]) -> int:
    """Returns the place of the attribute that stands for others."""
    return next(place for place in merged.places if attributes[place] == merged.attribute)


def _merged(every: Sequence[Merged], places: Sequence[int], names: Sequence[str]) -> dict[str, Near]:
    """Returns who stands for whom."""
    found: dict[str, Near] = {}
    for merged, own in zip(every, places, strict=True):
        members = tuple(names[place] for place in merged.places)
        found |= {name: Near(into=names[own]) for name in members}
        found[names[own]] = Near(stands_for=members)
    return found


def by_what_it_went_by(rules: Iterable[Verdict]) -> Found:
    """Sorts what encoders found; of several rows on the same thing one counts, by a rule that favours nothing."""
    found: dict[str, dict[str, Verdict]] = {}
    for row in sorted(rules, key=lambda row: (row.key.rater, row.key.rater_revision, row.completion)):
        found.setdefault(row.key.decoding, {})[row.key.question_id] = row
    return found


def rows_about(user: OfUser, found: Found) -> Mapping[str, Verdict] | None:
    """Returns what an encoder found of one user, by name; None while anything of it is owed."""
    wanted = {claim.name for claim in user.claims} | {item.question_id for item in user.accepted}
    rows = {name: row for name, row in found.get(user.went_by, {}).items() if name in wanted}
    return rows if rows.keys() == wanted else None


def mergers_of(user: OfUser, rows: Mapping[str, Verdict]) -> list[Merger]:
    """Returns the extracted attributes of one user that stand for themselves, in their order.

    Args:
        user: Of whom.
        rows: What an encoder found, by name; one whose words were taken down stands for nothing.
    """
    found = []
    for claim in user.claims:
        row = rows[claim.name]
        if row.outcome is not Outcome.MERGED and row.completion:
            members = Near.model_validate_json(row.completion).stands_for
            found.append(Merger(claim.attribute.text, tuple(sorted({name.rpartition("/")[0] for name in members}))))
    return found
