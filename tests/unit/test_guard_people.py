"""Who may maintain, from what an identity provider says."""

from __future__ import annotations

import pytest

from evaluator.errors import RapportError
from leaderboard.pages.identity import person_of
from leaderboard.people import LOCAL_USER, Person, hub_person
from leaderboard.settings import Settings


def profile(name: object = "alice", *orgs: object) -> dict[str, object]:
    return {"preferred_username": name, "name": "Anybody", "orgs": list(orgs)}


@pytest.mark.parametrize(
    ("claims", "maintainers", "expected"),
    [
        (profile(), ["alice"], True),
        (profile(), ["Alice"], False),
        (profile(), ["org:alice"], False),
        (profile("lab"), ["org:lab"], False),
        (profile("alice", {"preferred_username": "lab"}), ["org:lab"], True),
        (profile("alice", {"preferred_username": "lab"}), ["lab"], False),
        (profile("alice", {"name": "lab", "preferred_username": "x"}), ["org:lab"], False),
        (profile("alice", {"name": "lab"}), ["org:lab"], False),
        (profile("alice", {"preferred_username": "lab", "missingMFA": True}), ["org:lab"], False),
        (profile("alice", {"preferred_username": "lab", "pendingSSO": True}), ["org:lab"], False),
        (profile("alice", {"preferred_username": "lab", "securityRestrictions": ["mfa"]}), ["org:lab"], False),
        (profile("alice", {"preferred_username": "lab", "securityRestrictions": []}), ["org:lab"], True),
        (profile("alice", "lab", None, 3), ["org:lab"], False),
        ({"preferred_username": "alice", "orgs": "lab"}, ["org:lab"], False),
        ({"preferred_username": "alice"}, ["org:"], False),
        (profile(), [], False),
    ],
)
def test_maintainers_are_those_listed_by_name_or_by_a_full_membership(claims, maintainers, expected):
    assert hub_person(claims, maintainers) == Person(
        "alice" if claims["preferred_username"] != "lab" else "lab", expected
    )


@pytest.mark.parametrize(
    "name",
    ["", None, 5, "a/b", "<b>", "maintainer", "Maintainer", "demo", LOCAL_USER, "a\u202eb", "а", "x" * 97, "-a", "a\n"],
)
def test_nobody_acts_under_a_name_that_is_none_of_the_hub_or_one_that_we_sign_with(name):
    assert hub_person(profile(name), [str(name)]) is None


def test_the_local_user_exists_only_behind_the_flag_and_maintains_only_if_listed():
    assert person_of(None, Settings(allow_local_user=True)) == Person(LOCAL_USER, maintainer=False)
    listed = Settings(allow_local_user=True, maintainers=(LOCAL_USER,))
    assert person_of(profile("eve"), listed) == Person(LOCAL_USER, maintainer=True)
    with pytest.raises(RapportError, match="Nobody can log in"):
        person_of(profile("alice"), Settings(maintainers=(LOCAL_USER,)))
