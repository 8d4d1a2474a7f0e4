"""What a token of the Hub may do, beside the least that a role needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from leaderboard.cli.findings import Finding, Mark, Role

_NAME = "hub token"
_WRITE = "repo.write"
_READING = frozenset({"repo.content.read", "repo.access.read"})
_MAKE_ONE = "Make a fine-grained token for this role alone; docs/deploy.md says with which boxes ticked."
_THINGS = {
    "user": "all that a user has",
    "org": "all that an organisation has",
    "dataset": "a data set",
    "model": "a model",
    "space": "a Space",
}
_WORDS = {"write": "write wherever its owner may", "read": "read all that its owner may, private repositories too"}


class Need(NamedTuple):
    """The least that a role's token has to be able to do."""

    data_sets: tuple[str, ...] = ()
    """It writes to these, `owner/name`, and to nothing else."""
    discusses: bool = False
    """Whether it opens discussions on one of them."""
    gated: bool = False
    """Whether it reads gated models."""

    @property
    def nothing(self) -> bool:
        """Whether it does without a token."""
        return not (self.data_sets or self.gated)

    @property
    def sentence(self) -> str:
        """Says it in words.

        Example:
            >>> Need(("o/a", "o/b"), gated=True).sentence
            'repo.write on o/a and o/b, and gated models'
        """
        writes = f"{_WRITE} on {' and '.join(self.data_sets)}" if self.data_sets else ""
        return ", and ".join(filter(None, [writes, "gated models" if self.gated else ""])) or "nothing"


def need_of(role: Role, data_sets: Collection[str], discusses: bool) -> Need:
    """Returns what a role needs.

    Args:
        role: Whose token it is.
        data_sets: Those of the store on the Hub; empty where the store is a folder.
        discusses: Whether the publisher opens discussions there.

    Example:
        >>> need_of(Role.WEB, ["o/a"], False), need_of(Role.WORKER, ["o/a"], False).gated
        (Need(data_sets=(), discusses=False, gated=False), True)
    """
    writes = tuple(data_sets) if role in (Role.ALL, Role.PUBLISHER) else ()
    return Need(writes, discusses and bool(writes), role in (Role.ALL, Role.WORKER))


def without_token(need: Need) -> Finding:
    """Says what a role without a token goes without."""
    if need.data_sets:
        return Finding(_NAME, Mark.BROKEN, "There is no HF_TOKEN: nothing can be written to the store.", _MAKE_ONE)
    if need.gated:
        return Finding(_NAME, Mark.NOTE, "There is no HF_TOKEN: gated models cannot be evaluated.", _MAKE_ONE)
    return Finding(_NAME, Mark.FINE, "There is no HF_TOKEN, and none is needed.")


def token_findings(identity: Mapping[str, Any], need: Need) -> Iterator[Finding]:
    """Yields what a token lacks and what it has too much of; one finding if it is just right.

    Args:
        identity: What the Hub answers to `whoami-v2` for the token.
        need: What it is for.

    Example:
        >>> me = {"name": "me", "orgs": [{"name": "o"}], "auth": {"accessToken": {"role": "read"}}}
        >>> found = token_findings(me, Need(("o/a",)))
        >>> next(found).message
        'The token cannot write to o/a.'
        >>> next(found).mark
        <Mark.NOTE: 'note'>
    """
    powers = _powers_of(identity)
    if powers is None:
        yield Finding(_NAME, Mark.NOTE, "The Hub does not say what the token may do.", _MAKE_ONE)
        return
    lacking = [name for name in need.data_sets if not powers.writes(name)]
    if lacking:
        yield Finding(_NAME, Mark.BROKEN, f"The token cannot write to {' and '.join(lacking)}.", _MAKE_ONE)
    if need.gated and not powers.gated:
        yield Finding(_NAME, Mark.NOTE, "The token does not open gated models.", _MAKE_ONE)
    extra = sorted({*powers.beyond(need)})
    if extra:
        yield Finding(_NAME, Mark.NOTE, f"The token may do more than is needed: {', '.join(extra)}.", _MAKE_ONE)
    elif not lacking:
        yield Finding(_NAME, Mark.FINE, f"The token may do what is needed and nothing else: {need.sentence}.")


class _Scope(NamedTuple):
    """What a token may do to one thing."""

    kind: str
    name: str
    permissions: frozenset[str]

    def covers(self, data_set: str) -> bool:
        """Says whether a data set is this thing, or belongs to it."""
        if self.kind in ("user", "org"):
            return self.name == data_set.partition("/")[0]
        return self.kind == "dataset" and self.name.removeprefix("datasets/") == data_set


class _Powers(NamedTuple):
    """What a token may do."""

    role: str
    owners: frozenset[str]
    """The user and the organisations that it acts for."""
    scopes: tuple[_Scope, ...]
    everywhere: frozenset[str]
    """What a fine-grained token may do everywhere."""
    gated: bool

    def writes(self, data_set: str) -> bool:
        """Says whether it may write to a data set."""
        if self.role == "write":
            return data_set.partition("/")[0] in self.owners
        return any(_WRITE in scope.permissions and scope.covers(data_set) for scope in self.scopes)

    def beyond(self, need: Need) -> Iterator[str]:
        """Yields what it may do that is not needed."""
        if self.role in _WORDS:
            yield _WORDS[self.role]
            return
        if self.gated and not need.gated:
            yield "read gated repositories"
        yield from (f"{permission} everywhere" for permission in self.everywhere)
        asked = {_WRITE, *_READING} | ({"discussion.write"} if need.discusses else set())
        for scope in self.scopes:
            wide = scope.kind != "dataset" or not any(scope.covers(name) for name in need.data_sets)
            for permission in scope.permissions if wide else scope.permissions - asked:
                yield f"{permission} on {_THINGS.get(scope.kind, 'something else')}"


def _powers_of(identity: Mapping[str, Any]) -> _Powers | None:
    """Reads what the Hub says of a token; None if it says nothing that we know."""
    token = _mapping(_mapping(identity.get("auth")).get("accessToken"))
    role = token.get("role")
    if role not in ("read", "write", "fineGrained"):
        return None
    fine = _mapping(token.get("fineGrained"))
    if role == "fineGrained" and not fine:
        return None
    scopes = tuple(
        _Scope(str(entity.get("type")), str(entity.get("name")), _strings(scope.get("permissions")))
        for scope in map(_mapping, fine.get("scoped") or ())
        for entity in [_mapping(scope.get("entity"))]
    )
    named = (identity, *map(_mapping, identity.get("orgs") or ()))
    owners = frozenset(str(each.get("name")) for each in named)
    gated = role != "fineGrained" or fine.get("canReadGatedRepos") is True
    return _Powers(str(role), owners, scopes, _strings(fine.get("global")), gated)


def _mapping(value: object) -> Mapping[str, Any]:
    """Returns what is an object of JSON, else an empty one."""
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> frozenset[str]:
    """Returns the strings of what is a list of JSON."""
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()
