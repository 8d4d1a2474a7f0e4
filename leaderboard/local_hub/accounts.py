"""Who is asking, and what the Hub lets them see and do.

The Hub hides what is private: a stranger hears 401 and a known user 404, exactly as for a repository that does not
exist. What is gated is shown to everyone but handed out only to those who were let in. Writing takes a token with the
role `write` of an owner; a token with the role `none` is a visitor with a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from leaderboard.local_hub.messages import HubError, Request, repository_not_found
from leaderboard.local_hub.repositories import Repository


@dataclass(frozen=True)
class Account:
    """Who stands behind a token."""

    name: str
    organisations: tuple[str, ...] = ()
    role: Literal["none", "read", "write"] = "read"
    let_in: tuple[str, ...] = ()
    """Gated repositories that this account may read."""
    fine_grained: Mapping[str, Any] | None = None
    """What `whoami` tells of a fine-grained token; what the token may do here is still said by its role."""

    def describe(self) -> dict[str, Any]:
        """Returns the answer to `whoami`."""
        organisations = [{"type": "org", "name": name, "roleInOrg": self.role} for name in self.organisations]
        token: dict[str, Any] = {"displayName": "test", "role": self.role}
        if self.fine_grained is not None:
            token |= {"role": "fineGrained", "fineGrained": self.fine_grained}
        return {
            "type": "user",
            "name": self.name,
            "orgs": organisations,
            "auth": {"type": "access_token", "accessToken": token},
        }


def who(request: Request, tokens: Mapping[str, Account]) -> Account | None:
    """Returns the account of a request's token, None without a token."""
    if request.token is None:
        return None
    if request.token not in tokens:
        raise HubError(401, "Invalid credentials in Authorization header")
    return tokens[request.token]


def check_visible(repository: Repository | None, account: Account | None) -> Repository:
    """Returns a repository that an account may know of."""
    if repository is None or (repository.private and not _is_member(repository, account)):
        raise repository_not_found(404 if account else 401)
    return repository


def check_readable(repository: Repository, account: Account | None) -> None:
    """Refuses the files of a gated repository to those who were not let in."""
    if not repository.gated or _is_member(repository, account):
        return
    if account is None or repository.name not in account.let_in:
        message = f"Access to {repository.kind} {repository.name} is restricted."
        raise HubError(403 if account else 401, message, "GatedRepo")


def check_owner(owner: str, account: Account | None) -> Account:
    """Returns an account that may write below an owner."""
    if account is None:
        raise HubError(401, "Invalid username or password.")
    if account.role != "write" or owner not in (account.name, *account.organisations):
        raise HubError(403, "You don't have the required permissions to perform this action")
    return account


def _is_member(repository: Repository, account: Account | None) -> bool:
    owner = repository.name.split("/")[0]
    return account is not None and account.role != "none" and owner in (account.name, *account.organisations)
