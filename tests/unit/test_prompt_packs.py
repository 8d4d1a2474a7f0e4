"""Stored packs: named by their prompts, official only by the hash of their source, fetched when they are missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluator.engines.base import Message
from evaluator.errors import Cause, RapportError
from evaluator.hicupid import prompt_packs
from evaluator.hicupid.prompt_import import pack_from_source
from evaluator.hicupid.prompt_packs import StoredPack, find_pack, import_pack, stored_packs
from evaluator.hicupid.prompt_sources import AcceptedFile, PromptSources
from evaluator.hicupid.prompts import builtin_pack, make_pack
from tests.unit.authors_file import SHA256, SOURCE, Server, changed, refuses, sends, serving

OTHER = changed("I shall.", "I will.")
NOTHING_KNOWN = PromptSources(sources=(), accepted=())


PACK = pack_from_source(SOURCE.encode()).id
PACKS = {SHA256: PACK, hashlib.sha256(OTHER.encode()).hexdigest(): pack_from_source(OTHER.encode()).id}


def known(*sources: str, hashes: tuple[str, ...] = (SHA256,), pack: str | None = None) -> PromptSources:
    """Returns sources that accept some files as official, where they make a certain pack: their own if left out."""
    accepted = tuple(AcceptedFile(sha256=each, pack=pack or PACKS[each], note="ours") for each in hashes)
    return PromptSources(sources=sources, accepted=accepted)


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "data" / "packs"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The authors' file, on this machine."""
    path = tmp_path / "constants.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A file of the same layout with other prompts."""
    path = tmp_path / "other.py"
    path.write_text(OTHER, encoding="utf-8")
    return path


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.answers["/constants.py"] = sends(SOURCE.encode())
        yield server


def refusal(wanted: str, packs: Path, sources: PromptSources) -> RapportError:
    with pytest.raises(RapportError) as refused:
        find_pack(wanted, packs, sources)
    return refused.value


def test_an_imported_pack_is_found_by_its_id(packs, file):
    stored = import_pack(str(file), packs, NOTHING_KNOWN)
    assert (stored.path, stored.source) == (packs / f"{stored.pack.id}.json", "constants.py")
    assert stored.source_sha256 == SHA256
    assert stored.pack.status == "imported"
    assert find_pack(stored.pack.id, packs, NOTHING_KNOWN) == stored.pack
    assert [path.name for path in packs.iterdir()] == [f"{stored.pack.id}.json"]


def test_a_pack_from_an_accepted_file_is_official(packs, file):
    stored = import_pack(str(file), packs, known())
    assert stored.pack.status == "official"
    assert find_pack("official", packs, known()) == stored.pack


def test_what_makes_a_stored_pack_official_is_decided_at_reading(packs, file):
    pack_id = import_pack(str(file), packs, NOTHING_KNOWN).pack.id
    assert find_pack(pack_id, packs, known()).status == "official"
    assert find_pack(pack_id, packs, NOTHING_KNOWN).status == "imported"


def test_importing_again_changes_nothing(packs, file):
    first = import_pack(str(file), packs, known())
    before = (first.path.read_bytes(), first.path.stat().st_mtime_ns, first.path.stat().st_ino)
    assert import_pack(str(file), packs, known()) == first
    assert (first.path.read_bytes(), first.path.stat().st_mtime_ns, first.path.stat().st_ino) == before


def test_the_same_prompts_from_an_unknown_file_do_not_take_an_official_pack_its_standing(packs, file, tmp_path):
    official = import_pack(str(file), packs, known())
    copy = tmp_path / "copy.py"
    copy.write_text(SOURCE + "# A comment.\n", encoding="utf-8")
    assert import_pack(str(copy), packs, known()) == official


def test_an_accepted_file_lifts_the_same_prompts_of_an_unknown_one(packs, file, tmp_path):
    copy = tmp_path / "copy.py"
    copy.write_text(SOURCE + "# A comment.\n", encoding="utf-8")
    assert import_pack(str(copy), packs, known()).pack.status == "imported"
    stored = import_pack(str(file), packs, known())
    (only,) = stored_packs(packs, known()).packs
    assert (only.pack.status, only.source) == ("official", "constants.py")
    assert find_pack(stored.pack.id, packs, known()).status == "official"


def test_a_file_with_another_hash_than_asked_for_is_not_stored(packs, file):
    with pytest.raises(RapportError, match=f"{SHA256}, not {'0' * 64}") as refused:
        import_pack(str(file), packs, known(), "0" * 64)
    assert refused.value.cause is Cause.DATA_ERROR
    assert not packs.exists()
    assert import_pack(str(file), packs, known(), SHA256.upper()).source_sha256 == SHA256


def rewritten(stored: StoredPack) -> str:
    """Stores other prompts that claim to come from the same file, under their own id, which is returned."""
    content = json.loads(stored.path.read_text())
    _with_other_words(content)
    said = [{k: [Message(*m) for m in v] for k, v in content[part].items()} for part in ("inference", "evaluation")]
    pack_id = make_pack(*said, "imported").id
    assert pack_id != stored.pack.id
    (stored.path.parent / f"{pack_id}.json").write_text(json.dumps(content))
    return pack_id


def test_other_prompts_that_claim_an_accepted_file_are_not_official(packs, file):
    stored = import_pack(str(file), packs, NOTHING_KNOWN)
    sources = known(pack=stored.pack.id)
    forged = rewritten(stored)
    assert find_pack(forged, packs, sources).status == "imported"
    assert find_pack("official", packs, sources).id == stored.pack.id
    stored.path.unlink()
    assert refusal("official", packs, sources).remedy.startswith("Get src/constants.py")


def test_an_accepted_file_that_makes_another_pack_is_stored_but_not_official(packs, file, server):
    sources = known(server.url("/constants.py"), pack="0" * 16)
    assert import_pack(str(file), packs, sources).pack.status == "imported"
    error = refusal("official", packs, sources)
    assert error.cause is Cause.DATA_ERROR
    assert "not the accepted one" in error.message


def _with_other_words(stored: dict) -> None:
    stored["inference"]["zero/system"][0][1] += " Rate it well."


def _with_a_missing_style(stored: dict) -> None:
    del stored["inference"]["few/user/1"]


def _with_another_version(stored: dict) -> None:
    stored["schema_version"] = 2


def _with_a_status(stored: dict) -> None:
    stored["status"] = "official"


@pytest.mark.parametrize("tampering", [_with_other_words, _with_a_missing_style, _with_another_version, _with_a_status])
def test_a_tampered_pack_is_refused_until_it_is_imported_again(packs, file, tampering):
    stored = import_pack(str(file), packs, known())
    content = json.loads(stored.path.read_text())
    tampering(content)
    stored.path.write_text(json.dumps(content))
    for wanted in (stored.pack.id, "official"):
        error = refusal(wanted, packs, known())
        assert error.cause is Cause.DATA_ERROR
        assert str(stored.path) in error.message
    assert import_pack(str(file), packs, known()) == stored
    assert find_pack("official", packs, known()) == stored.pack


def test_a_broken_file_hides_no_other_pack_and_stops_no_official_run(packs, file, server, caplog):
    packs.mkdir(parents=True)
    (packs / "0123456789abcdef.json").write_text("{}")
    sources = known(server.url("/constants.py"))
    for _ in range(2):  # Fetched, then found.
        assert find_pack("official", packs, sources).status == "official"
        assert "0123456789abcdef.json is broken" in caplog.text
        caplog.clear()
    found, faults = stored_packs(packs, sources)
    assert [each.path.stem for each in found] == [PACK]
    assert [(fault.cause, "0123456789abcdef.json" in fault.message) for fault in faults] == [(Cause.DATA_ERROR, True)]
    assert len(server.headers) == 1


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff", b"{}", b" " * 8_000_001])
def test_a_file_that_is_no_pack_is_refused(packs, content):
    packs.mkdir(parents=True)
    (packs / "0123456789abcdef.json").write_bytes(content)
    error = refusal("0123456789abcdef", packs, known())
    assert error.cause is Cause.DATA_ERROR
    assert "0123456789abcdef.json is broken" in error.message


def test_a_pack_under_another_name_is_refused(packs, file):
    stored = import_pack(str(file), packs, known())
    stored.path.rename(packs / "0123456789abcdef.json")
    assert f"its prompts are those of {stored.pack.id}" in refusal("0123456789abcdef", packs, known()).message


@pytest.mark.parametrize("wanted", ["0123456789abcdef", "offical", "../../constants", "", "0123456789ABCDEF"])
def test_a_pack_that_is_not_there_is_not_found(packs, wanted):
    assert refusal(wanted, packs, known()).cause is Cause.NOT_FOUND


def test_the_builtin_pack_needs_no_folder(packs):
    assert find_pack("builtin", packs) == builtin_pack()
    assert find_pack(builtin_pack().id, packs) == builtin_pack()


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_file(packs, file):
    packs.parent.write_text("in the way")
    with pytest.raises(RapportError, match="RAPPORT_PACKS") as refused:
        import_pack(str(file), packs, known())
    assert refused.value.cause is Cause.INFRASTRUCTURE


def test_an_official_pack_that_is_missing_is_fetched_once(packs, server):
    sources = known(server.url("/constants.py"))
    pack = find_pack("official", packs, sources)
    assert pack.status == "official"
    assert find_pack("official", packs, sources) == find_pack(pack.id, packs, sources) == pack
    assert len(server.headers) == 1
    assert [each.source for each in stored_packs(packs, sources).packs] == [server.url("/constants.py")]


def test_the_next_source_is_tried_where_one_fails(packs, server):
    server.answers["/other.py"] = sends(OTHER.encode())
    sources = known(server.url("/gone.py"), server.url("/other.py"), server.url("/constants.py"))
    assert find_pack("official", packs, sources).status == "official"


def test_an_imported_pack_is_never_taken_for_the_official_one(packs, server, other):
    imported = import_pack(str(other), packs, known())
    pack = find_pack("official", packs, known(server.url("/constants.py")))
    assert pack.id != imported.pack.id


def test_of_two_official_packs_the_one_listed_first_is_taken(packs, file, other):
    sha = import_pack(str(other), packs, known()).source_sha256
    import_pack(str(file), packs, known())
    for hashes in ((SHA256, sha), (sha, SHA256)):
        wanted = next(each for each in stored_packs(packs, known()).packs if each.source_sha256 == hashes[0])
        assert find_pack("official", packs, known(hashes=hashes)).id == wanted.pack.id


def test_a_source_with_another_file_is_a_data_error_and_nothing_is_stored(packs, server):
    server.answers["/other.py"] = sends(OTHER.encode())
    error = refusal("official", packs, known(server.url("/other.py")))
    assert error.cause is Cause.DATA_ERROR
    assert f"not {SHA256}" in error.message
    assert "rapport prompts import PATH" in error.remedy
    assert not packs.exists()


def test_sources_of_which_one_does_not_answer_may_do_so_later(packs, server):
    server.answers["/other.py"] = sends(OTHER.encode())
    server.answers["/down.py"] = refuses(503)
    error = refusal("official", packs, known(server.url("/other.py"), server.url("/down.py")))
    assert error.cause is Cause.INFRASTRUCTURE
    assert "503" in error.message
    assert "rapport prompts import PATH" in error.remedy


def test_nobody_at_the_address_is_our_fault(packs):
    with serving() as gone:
        place = gone.url("/constants.py")
    assert refusal("official", packs, known(place)).cause is Cause.INFRASTRUCTURE


def test_a_full_disk_is_not_taken_for_a_silent_source(packs, server, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prompt_packs.os, "fsync", full)
    error = refusal("official", packs, known(server.url("/constants.py")))
    assert error.cause is Cause.DISK_FULL
    assert list(packs.iterdir()) == []
