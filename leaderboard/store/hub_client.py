"""What the store asks of the Hub, each as one plain call."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    get_session,
    hf_hub_url,
    hf_raise_for_status,
)
from huggingface_hub.hf_api import RepoFile, RepoFolder
from huggingface_hub.utils import build_hf_headers, paginate  # type: ignore[attr-defined]

from leaderboard.store.base import Operation, Revision, StoreCorrupt, StoreForbidden, StoreUnavailable, Write
from leaderboard.store.hashes import is_content
from leaderboard.store.hub_budget import Budget
from leaderboard.store.hub_calls import Raced, Watch, watched
from leaderboard.store.hub_index import Entry, Index
from leaderboard.store.hub_words import Words, as_one

_KIND = "dataset"
_BRANCH = "main"
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TOKEN = re.compile(r"[!-~]+")


class HubCommit(NamedTuple):
    """One commit, as the Hub's history tells it."""

    revision: Revision
    words: Words
    time: datetime
    """In UTC."""


class Made(NamedTuple):
    """A commit just made."""

    revision: Revision
    large: frozenset[str]
    """The paths that the Hub keeps as large files, under their SHA-256."""


class HubClient:
    """The calls about one data set. All of them raise what `hub_calls.watched` does."""

    def __init__(
        self,
        repo_id: str,
        token: str | None,
        endpoint: str | None,
        budget: Budget,
        seconds: float,
        pause: Callable[[float], None],
    ) -> None:
        """Take what stays the same from call to call; asks nothing yet.

        Args:
            repo_id: the data set, `owner/name`.
            token: who asks; None asks as anyone, even where a token lies about on this machine.
            endpoint: the Hub's address; None is the one that HF_ENDPOINT names.
            budget: counts all calls.
            seconds: how long the Hub may stay silent.
            pause: waits for some seconds.

        Raises:
            StoreForbidden: if the token cannot be one, such as with a line break in it.
        """
        self.place = f"hub://{repo_id}"
        if token is not None and not _TOKEN.fullmatch(token):
            raise StoreForbidden(
                self.place, "the token has characters that no token has", "Put the bare token into HF_TOKEN."
            )
        self._repo_id, self._token = repo_id, token
        self._api = HfApi(endpoint=endpoint, token=token or False)
        self._watch = Watch(self.place, budget, seconds, pause)

    @property
    def can_write(self) -> bool:
        """Whether there is a token at all; whether it suffices is only known when it is used."""
        return self._token is not None

    def create(self, private: bool) -> None:
        """Make the data set.

        Raises:
            Raced: if there is one.
        """
        with watched(self._watch):
            self._api.create_repo(self._repo_id, repo_type=_KIND, private=private)

    def is_private(self) -> bool:
        """Return whether the data set is hidden from everyone outside its owner's organisation."""
        with watched(self._watch):
            private = self._api.dataset_info(self._repo_id, expand=["private"]).private
        if private is None:
            raise StoreUnavailable(self.place, "it does not say who may see it")
        return private

    def head(self) -> Revision:
        """Return the newest commit of the main branch.

        Raises:
            StoreCorrupt: if there is no such branch.
        """
        with watched(self._watch):
            refs = self._api.list_repo_refs(self._repo_id, repo_type=_KIND)
        for branch in refs.branches:
            if branch.name == _BRANCH:
                return Revision(self._checked(branch.target_commit))
        raise StoreCorrupt(self.place, f"it has no branch {_BRANCH!r}")

    def entries(self, revision: Revision, folder: str = "", *, recursive: bool = False) -> list[Entry]:
        """Return what lies in a folder of a commit; with `recursive` also what lies below, 1,000 entries a call."""
        with watched(self._watch):
            listed = list(
                self._api.list_repo_tree(
                    self._repo_id, folder or None, recursive=recursive, revision=revision, repo_type=_KIND
                )
            )
        return [self._entry(one) for one in listed]

    def commits(self, limit: int, until: Revision | None = None) -> list[HubCommit]:
        """Return the newest commits, newest first: so many, or down to a certain one."""
        # The client's own `list_repo_commits` reads the whole history, however long it has become.
        url = f"{self._api.endpoint}/api/{_KIND}s/{self._repo_id}/commits/{_BRANCH}"
        with watched(self._watch):
            items = paginate(url, params={}, headers=build_hf_headers(token=self._token or False))
            return list(_until(map(_commit, islice(items, limit)), until))

    def content(self, path: str, revision: Revision, oid: str) -> bytes:
        """Return a file's content at a commit, which must have this hash.

        Raises:
            StoreCorrupt: if it has another one.
        """
        url = hf_hub_url(self._repo_id, path, repo_type=_KIND, revision=revision, endpoint=self._api.endpoint)
        with watched(self._watch):
            answer = get_session().get(url, headers=build_hf_headers(token=self._token or False))
            hf_raise_for_status(answer)
            content = bytes(answer.content)
        if not is_content(content, oid):
            raise StoreCorrupt(f"{self.place}/{path}", "the Hub hands out another content than it lists")
        return content

    def commit(self, changes: Sequence[Operation], words: Words, before: Index) -> Made:
        """Make a commit on top of another one, which must be the newest.

        Args:
            changes: what changes something.
            words: what the commit says of itself.
            before: what the other one holds.

        Raises:
            Raced: if it is not the newest.
            StoreCorrupt: if the data set has a `.gitignore` that would leave a file out.
        """
        additions = [CommitOperationAdd(one.path, one.content) for one in changes if isinstance(one, Write)]
        gone = before.deletions(changes)
        deletions = [
            *(CommitOperationDelete(path, is_folder=False) for path in gone.files),
            *(CommitOperationDelete(path, is_folder=True) for path in gone.folders),
        ]
        with watched(self._watch):
            self._api.preupload_lfs_files(self._repo_id, additions, repo_type=_KIND, free_memory=False)
            for addition in additions:
                # The client would leave the file out and say nothing.
                if addition._should_ignore:
                    raise StoreCorrupt(f"{self.place}/.gitignore", f"it keeps {addition.path_in_repo} out")
            made = self._api.create_commit(
                self._repo_id,
                [*additions, *deletions],
                commit_message=words.title,
                commit_description=words.description,
                repo_type=_KIND,
                parent_commit=before.revision,
            )
        # When another writer stored the very same contents a moment ago, the client makes no commit and returns
        # that writer's: two counts of one would pass for one.
        if additions and not any(addition._is_committed for addition in additions):
            raise Raced(self.place)
        large = frozenset(one.path_in_repo for one in additions if one._upload_mode == "lfs")
        return Made(Revision(self._checked(made.oid)), large)

    def squash(self, words: Words) -> None:
        """Make the newest files the only commit, which says this of itself."""
        with watched(self._watch):
            self._api.super_squash_history(self._repo_id, branch=_BRANCH, commit_message=as_one(words), repo_type=_KIND)

    def _entry(self, listed: RepoFile | RepoFolder) -> Entry:
        if isinstance(listed, RepoFolder):
            return Entry(listed.path, self._checked(listed.tree_id), True)
        return Entry(listed.path, self._checked(listed.lfs.sha256 if listed.lfs else listed.blob_id), False)

    def _checked(self, value: str) -> str:
        """Return a hash that is one: the cache has files of that name."""
        if not _HASH.fullmatch(value):
            raise StoreCorrupt(self.place, "the Hub names something by what is no hash")
        return value


def _commit(item: dict[str, Any]) -> HubCommit:
    time = datetime.fromisoformat(item["date"]).astimezone(UTC)
    return HubCommit(Revision(item["id"]), Words(item["title"], item["message"]), time)


def _until(commits: Iterator[HubCommit], last: Revision | None) -> Iterator[HubCommit]:
    for commit in commits:
        yield commit
        if commit.revision == last:
            return
