"""What is secret or tells who and where somebody is survives in no position and no spelling; the rest is left alone."""

from __future__ import annotations

import base64
import html
import ipaddress
import json
import string
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluator.redaction import redact, secrets_of, tail

WORD = string.ascii_letters + string.digits
LONG = st.text(WORD, min_size=24, max_size=60)
AROUND = st.one_of(
    st.sampled_from(
        ["", " ", "\n", "'", '"', "(", "[", "=", ": ", ", ", ">", "\t", "\x1b[32m", "→ ", "{'a': '", "\\n"]
    ),
    st.text(string.ascii_letters + " \n.,;:!?<>'\"(){}[]-_äß→", max_size=20),
)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "bytes": lambda text: repr(text.encode()),
    "json": json.dumps,
    "nested json": lambda text: json.dumps(json.dumps({"said": text})),
    "quoted": lambda text: quote(text, safe=""),
}
TOKENS = st.one_of(
    LONG.map("hf_{}".format),
    LONG.map("api_org_{}".format),
    LONG.map("sk-{}".format),
    LONG.map("sk-proj-{}".format),
    LONG.map("ghp_{}".format),
    st.tuples(LONG, LONG, LONG).map(lambda parts: "eyJ{}.eyJ{}.{}".format(*parts)),
)
PASSWORDS = st.text(WORD + "!$%&*+,;=:@^~._-'\"", min_size=8, max_size=30)


@given(TOKENS, AROUND, AROUND, st.sampled_from([*SPELLINGS.values()]))
def test_a_token_survives_nowhere(token: str, before: str, after: str, spelling: Callable[[str], str]) -> None:
    assume(not before or before[-1] not in WORD or not token.startswith("sk-"))
    kept = redact(spelling(before + token + after))

    assert token not in kept
    assert token[-20:] not in kept


@given(
    PASSWORDS,
    AROUND,
    st.sampled_from(["redis://:{}@host:6379/0", "rediss://worker:{}@10.0.0.1/0", "https://{}@host/a"]),
)
def test_a_password_in_an_address_survives_nowhere(password: str, before: str, address: str) -> None:
    assume(password not in before + "[redacted]")
    text = address.format(password)
    for spelling in (str, json.dumps, repr, SPELLINGS["quoted"]):
        assert spelling(password).strip("'\"") not in redact(before + spelling(text))


@given(
    LONG,
    st.sampled_from(
        ["token", "key", "api_key", "sig", "signature", "Signature", "X-Amz-Signature", "X-Amz-Credential"]
    ),
    st.sampled_from(["?", "&", "?a=b&", "&amp;"]),
)
def test_a_signed_address_keeps_its_path_and_loses_its_signature(secret: str, name: str, before: str) -> None:
    kept = redact(f"Error at https://cdn.example/models/x.safetensors{before}{name}={secret}&page=2 for model")

    assert secret not in kept
    assert "https://cdn.example/models/x.safetensors" in kept
    assert "page=2 for model" in kept
    assert secret not in redact(quote(f"https://cdn/x{before}{name}={secret}", safe=""))


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer canary-12345",
        "authorization=Basic Y2FuYXJ5LTEyMzQ1OmNhbmFyeS0xMjM0NQ==",
        "[(b'authorization', b'Bearer canary-12345'), (b'host', b'hub')]",
        '{"Authorization": "Bearer canary-12345", "x": 1}',
        "Proxy-Authorization: Digest canary-12345, canary-12345",
        "Cookie: session=canary-12345; other=canary-12345",
        "x-api-key: canary-12345",
        "sent Bearer canary-12345 and failed",
        "password=canary-12345",
        "'client_secret': 'canary-12345'",
        '"hf_token": "canary-12345"',
        "-----BEGIN RSA PRIVATE KEY-----\ncanary-12345\n-----END RSA PRIVATE KEY-----",
        r"'-----BEGIN PRIVATE KEY-----\ncanary-12345\n'",
        "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary-12345",
    ],
)
def test_headers_and_named_secrets_lose_their_values(line: str) -> None:
    kept = redact(line)

    assert "canary" not in kept
    assert "Y2FuYXJ5" not in kept


@given(
    st.ip_addresses(), st.sampled_from(["{}", "{}:443", "[{}]:443", "({})", "'{}'", "from {}, then", "{}.", "ip={}"])
)
def test_an_address_of_somebody_survives_nowhere(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, around: str
) -> None:
    assume(not (address.is_loopback or address.is_unspecified))

    assert str(address) not in redact(around.format(address))


def test_the_address_of_every_machine_itself_stays() -> None:
    line = "serving http://127.0.0.1:7860 and http://[::1]:7860 on 0.0.0.0"

    assert redact(line) == line


@given(
    st.lists(st.text(WORD + "._-+@", min_size=1, max_size=12), min_size=2, max_size=6),
    st.sampled_from(["{}", "'{}'", '"{}", line 3', "({})", "at {}: no", "path={}", "file://{}", "unix://{}?db=0"]),
)
def test_of_a_path_only_the_name_stays(parts: list[str], around: str) -> None:
    assume(not set(parts) & {".", ".."} and "hf_" not in "".join(parts))
    kept = redact(around.format("/" + "/".join(parts)))

    assert "/".join(["", *parts[:-1], ""]) not in kept
    assert "…/" in kept


def test_a_path_with_spaces_is_shortened_where_quotes_show_its_end() -> None:
    assert redact("no file '/home/a person/my models/tiny.json' here") == "no file '…/tiny.json' here"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "12:30:45 rapport.worker s-20260101-0a1b2c3d.demo-v1 failed: The engine ran out of memory.",
        "org/model at 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567 and either/or",
        f"data sha256 {'0a1b2c3d' * 8}",
        "https://huggingface.co/org/model/resolve/main/config.json?download=true",
        "max_tokens=48, eos_token='</s>', tokens: 12345678, pad_token=<|end|>",
        "std::vector, Cause::error, ::, a:b:c, 1/2, ../relative/path, ~/home",
        'GET /api/submissions/12 HTTP/1.1" 200',
        "hf_hub_download and hf_transfer, task-specific-work-of-many-words, sk-learn",
        "torch 2.13.0+cpu, vllm 0.12.1, CUDA 12.8",
    ],
)
def test_what_nobody_minds_is_left_alone(line: str) -> None:
    assert redact(line) == line


@given(st.text(max_size=300))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(
    st.text(min_size=6, max_size=40).filter(lambda secret: len(secret.strip()) >= 6 and secret.isprintable()),
    AROUND,
    AROUND,
)
def test_the_values_of_secret_variables_survive_in_no_spelling(secret: str, before: str, after: str) -> None:
    secret = secret.strip()
    assume(secret not in before + after + "[redacted]" and "redacted" not in secret)
    secrets = secrets_of({"JUDGE_API_KEY": secret, "HOME": "/root"})
    written = [
        secret,
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],
        json.dumps(secret)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        base64.b64encode(secret.encode()).decode(),
    ]
    for spelt in written:
        assert spelt not in redact(before + spelt + after, secrets)


def test_which_variables_are_secret_is_told_by_their_names_and_their_addresses() -> None:
    environment = {
        "HF_TOKEN": "one-one",
        "AWS_SECRET_ACCESS_KEY": "two-two",
        "oauth_client_secret": "three-three",
        "RAPPORT_REDIS_URL": "redis://:four%21four@host:6379/0",
        "ANYTHING": "https://five-five@host/",
        "SIGNING_KEY": "six-six\nseven-seven\n",
        "RAPPORT_CONTEXT_TOKENS": "8192000",
        "RAPPORT_JUDGE_KEY_VARIABLE": "JUDGE_KEY",
        "TOKENIZERS_PARALLELISM": "not-secret",
        "SHORT_KEY": "1",
        "BROKEN_URL": "http://[::1@x",
    }
    secrets = secrets_of(environment)

    assert {
        "one-one",
        "two-two",
        "three-three",
        "four%21four",
        "four!four",
        "five-five",
        "six-six",
        "seven-seven",
    } <= secrets
    assert not {"8192000", "JUDGE_KEY", "not-secret", "1"} & secrets


@pytest.mark.parametrize(
    "piece",
    ["/", "a/", "://", "?token", "%3A%2F%2F", "1.", "a:", "-----BEGIN PRIVATE KEY-----", "key=", "A", "'/", "\\"],
)
def test_the_time_it_takes_grows_with_the_length_alone(piece: str) -> None:
    def seconds(length: int) -> float:
        text, started = piece * (length // len(piece)), time.process_time()
        redact(text)
        return time.process_time() - started

    # Eight times the length takes eight times as long; where it is looked at again and again, sixty-four times.
    assert seconds(400_000) < 30 * max(seconds(50_000), 0.01)


def test_the_last_lines_are_those_of_the_end_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)) + "\n\n")

    assert tail(log, lines=3) == ("line 99997", "line 99998", "line 99999")
    assert len(tail(log)) == 20
    assert tail(log, lines=0) == ()


def test_a_log_that_is_empty_or_not_there_has_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    assert tail(tmp_path / "empty") == tail(tmp_path / "nowhere") == ()


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=900), max_size=40), st.integers(1, 400)
)
def test_a_tail_is_never_larger_than_asked_for_and_splits_no_character(lines: list[str], width: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        log.write_bytes("\n".join(lines).encode())
        found = tail(log, lines=7, width=width)

    assert len(found) <= 7
    assert all(
        (len(line) <= width and "\ufffd" not in line.replace("…", "")) or "\ufffd" in "".join(lines) for line in found
    )


def test_where_reading_begins_no_character_and_no_secret_is_cut_in_two(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for shift in range(6):
        log.write_bytes(b"x" * shift + ("€" * 100 + "\n").encode() * 3000)
        assert set(tail(log)) == {"€" * 100}
    log.write_bytes(b"hf_" + b"canary" * 100_000)
    assert tail(log) == ()


def test_a_progress_bar_and_colours_leave_plain_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\x1b[32mINFO\x1b[0m start\n 1 %\r 50 %\r100 %\nend of /root/models/tiny\n")

    assert tail(log) == ("INFO start", " 1 %", " 50 %", "100 %", "end of …/tiny")


def test_a_key_that_goes_over_several_lines_is_gone_from_the_tail(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n-----BEGIN PRIVATE KEY-----\n" + "canary\n" * 30 + "-----END PRIVATE KEY-----\nafter\n")

    assert tail(log, lines=5) == ("before", "[redacted]", "after")
