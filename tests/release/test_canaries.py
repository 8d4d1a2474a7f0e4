"""What must never be public is in no byte of the public data sets, whatever happened in the archive."""

from __future__ import annotations

import io
import json
import re

import pyarrow.parquet as pq
import pytest

from leaderboard.open_data import layout
from leaderboard.records import AmendmentKind
from leaderboard.release.derive import all_submissions
from leaderboard.release.release import Release
from leaderboard.store.base import Store
from leaderboard.store.open import Stores
from tests.builders import TERMS, make_declaration
from tests.release.archives import FAILURE, WITHHELD, Site
from tests.released import NAMES

TOKEN = "hf_canaryCanaryCanaryCanaryCanary"
SECRET = "canary-open-sesame"
WEBHOOK = "https://hooks.example/services?token=canary-webhook"
CLOSED = TERMS.model_copy(update={"redistributable": False})
PRIVATE = TERMS.model_copy(update={"visibility": "private"})


def readable(store: Store) -> str:
    """All that somebody can read in a store: bytes, decoded tables with what is said of them, and its history."""
    said = [commit.message for commit in store.history()]
    for path, content in store.read_all(store.list()).items():
        said += [path, content.decode(errors="replace")]
        if path.endswith(".parquet"):
            table = pq.read_table(io.BytesIO(content))
            said += [str(table.schema), json.dumps(table.to_pylist(), default=str)]
    return "\n".join(said)


@pytest.fixture
def planted(site: Site, stores: Stores) -> Stores:
    """Public data sets of an archive with canaries everywhere."""
    site.run(site.enter(1, "org/shown"), text="plainly shown", words="plainly said")
    site.run(site.enter(2, "org/withheld", declaration=WITHHELD), text="canary-withheld", words="canary-quoting")
    site.run(site.enter(3, "org/closed"), terms=CLOSED, text="an answer of its own", words="canary-quoted-source")
    site.run(site.enter(4, "org/private"), terms=PRIVATE, text="canary-private", words="canary-private")
    for number, canary in enumerate((TOKEN, SECRET, WEBHOOK), start=5):
        site.run(site.enter(number, f"org/model-{number}"), text=canary, words=canary)
    revoked = site.enter(8, "org/revoked")
    site.run(revoked, text="canary-revoked", words="canary-revoked")
    withdrawn = site.enter(9, "org/withdrawn")
    site.run(withdrawn, text="canary-withdrawn", words="canary-withdrawn")
    failed = site.enter(10, "org/failed", declaration=make_declaration(base_model=f"org/base?token={TOKEN}"))
    failure = FAILURE.model_copy(update={"message": f"No {TOKEN} {WEBHOOK}", "remedy": SECRET, "log": ("canary-log",)})
    site.ledger.fail(failed.run_ids()[0], "gpu-1", failure)
    site.save()
    public = Stores(site.archive, *stores[1:])
    release = Release(public, NAMES, frozenset({SECRET}))
    release.bring(all_submissions(site.archive))
    assert "canary-revoked" in readable(stores.results), "it was public once"
    site.amend(revoked, AmendmentKind.CORRECTED, declaration=WITHHELD)
    site.amend(withdrawn, AmendmentKind.WITHDRAWN)
    site.amend(failed, AmendmentKind.DISPUTED, about=SECRET)
    release.bring_some({each.id: False for each in (revoked, withdrawn, failed)})
    release.describe()
    release.rank()
    return public


def test_no_byte_of_what_is_public_holds_a_canary(planted: Stores) -> None:
    for store in (planted.results, planted.requests):
        told = readable(store)
        # Judges are asked about canaries of another sort, of which a table tells.
        found = {line for line in told.splitlines() if re.search(r"canary(?:-|canary)", line.lower())}
        assert not found


def test_what_may_be_shown_is_found_by_the_same_look(planted: Stores) -> None:
    told = readable(planted.results)
    assert all(words in told for words in ("plainly shown", "plainly said", "an answer of its own"))
    assert "[redacted]" in readable(planted.requests)


def test_rows_of_private_terms_are_not_told_of(planted: Stores) -> None:
    (path,) = planted.results.list(layout.generations_folder("org/private"))
    assert pq.read_table(io.BytesIO(planted.results.read(path))).num_rows == 0


def test_the_archive_holds_them_all(planted: Stores) -> None:
    told = readable(planted.archive)
    canaries = (
        TOKEN,
        SECRET,
        "canary-webhook",
        "canary-withheld",
        "canary-quoted-source",
        "canary-private",
        "canary-log",
    )
    assert [canary for canary in canaries if canary not in told] == []
