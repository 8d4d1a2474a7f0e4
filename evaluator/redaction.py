"""Takes out of a text what nobody may read in a log, an error or a page: secrets, addresses of people, folders.

What is recognised is replaced, however it is written: plain, quoted, or escaped as JSON, URLs and Python's `repr` do.
Rather too much is taken out than too little.
"""

from __future__ import annotations

import base64
import html
import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, quote_plus, unquote, urlsplit

MARK = "[redacted]"
"""Stands where a secret stood."""
ADDRESS = "[address]"
"""Stands where an IP address stood."""

_LEAST = 6
"""Characters of a value that is looked for as it is; shorter ones stand in too many innocent words."""
_SECRET_NAME = re.compile(
    r"(TOKEN|KEY|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH)(_?[0-9]+)?\Z|WEBHOOK_URL\Z", re.IGNORECASE
)
_NAMES_ANOTHER = re.compile(r"RAPPORT_\w+_VARIABLE\Z")
"""Settings whose value is the name of the variable that holds a secret."""
_TAIL_BYTES = 2**18

_Rule: TypeAlias = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def redact(text: str, secrets: Collection[str] = ()) -> str:
    """Returns a text without secrets, IP addresses and absolute paths.

    Taken out are: `secrets`, tokens of the Hub and of other services, `Authorization` and `Cookie` headers, credentials
    in URLs and in their parameters, private keys, and IP addresses but those of this machine itself. An absolute path
    becomes `…/name`. Repeating it changes nothing more.

    Args:
        text: Any text, such as a line of a log; the time taken grows with its length alone.
        secrets: Further texts to take out, see `secrets_of`.

    Example:
        >>> redact("redis://:open-sesame@10.0.0.7:6379/0 refused /root/models/tiny/config.json")
        'redis://[redacted]@[address]:6379/0 refused …/config.json'
        >>> redact("GET https://hub/x?token=abc&page=2 with Authorization: Bearer abc")
        'GET https://hub/x?token=[redacted]&page=2 with Authorization: [redacted]'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MARK)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """Returns the secrets that environment variables hold, in every way in which a log may write them.

    These are the values of variables whose names look secret or that a setting `RAPPORT_…_VARIABLE` names, and the
    passwords of all addresses.

    Example:
        >>> sorted(secrets_of({"HF_TOKEN": "canary", "REDIS_URL": "redis://:pass-word@host", "HOME": "/root"}))
        ['Y2FuYXJ5', 'cGFzcy13b3Jk', 'canary', 'pass-word']
        >>> sorted(secrets_of({"RAPPORT_JUDGE_KEY_VARIABLE": "JUDGE", "JUDGE": "secret"}))
        ['c2VjcmV0', 'secret']
    """
    found = {environment[name] for name in holders_of(environment)}
    for value in environment.values():
        found |= _passwords(value)
    lines = {line.strip() for value in found for line in (value, *value.splitlines())}
    return frozenset(written for line in lines if len(line) >= _LEAST for written in _ways_to_write(line))


def holders_of(environment: Mapping[str, str]) -> frozenset[str]:
    """Returns the names of the variables that hold secrets: by what they are called, or because a setting names them.

    Example:
        >>> sorted(holders_of({"RAPPORT_JUDGE_KEY_VARIABLE": "JUDGE", "JUDGE": "secret", "API_KEY_2": "", "HOME": "/"}))
        ['API_KEY_2', 'JUDGE']
    """
    named = {value for name, value in environment.items() if _NAMES_ANOTHER.match(name)}
    return frozenset(name for name in environment if name in named or _SECRET_NAME.search(name))


def tail(path: Path, lines: int = 20, width: int = 300, secrets: Collection[str] = ()) -> tuple[str, ...]:
    r"""Returns the last lines of a log, redacted; empty lines and control characters are left out.

    Only the end of the file is read, 256 KiB, and a line that begins before it is left out. What a progress bar wrote
    over is a line of its own. A longer line ends with `…`.

    Args:
        path: The log; one that does not exist has no lines.
        lines: Most lines that are returned.
        width: Most characters of a line.
        secrets: Further texts to take out, see `secrets_of`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = Path(folder) / "engine.log"
        ...     _ = log.write_text("loading\n50 %\r100 %\nready at /root/models/tiny\n")
        ...     tail(log, lines=2)
        ('100 %', 'ready at …/tiny')
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = file.seek(max(0, size - _TAIL_BYTES))
            read = file.read(_TAIL_BYTES)
    except FileNotFoundError:
        return ()
    if start:
        read = read[re.search(rb"[\r\n]|\Z", read).end() :]  # type: ignore[union-attr]  # The end is always found.
    text = redact(_CONTROL.sub("", read.decode("utf-8", errors="replace")), secrets)
    found = [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    return tuple(_cut(line, width) for line in found[-lines:]) if lines > 0 else ()


def _cut(line: str, width: int) -> str:
    """Shortens a line and shows it."""
    return line if len(line) <= width else line[: width - 1] + "…"


def _passwords(value: str) -> set[str]:
    """Returns the passwords in an address, as it writes them and as they are."""
    if "://" not in value or "@" not in value:
        return set()
    try:
        parts = urlsplit(value)
    except ValueError:
        return {value}
    written = {part for part in (parts.password, parts.username if not parts.password else None) if part}
    return written | {unquote(part) for part in written}


def _ways_to_write(secret: str) -> Iterable[str]:
    """Yields how logs, addresses, pages and headers write a secret."""
    raw = secret.encode(errors="surrogateescape")
    yield from (secret, quote(secret, errors="replace"), quote(secret, safe="", errors="replace"))
    yield from (quote_plus(secret, errors="replace"), html.escape(secret), repr(secret)[1:-1], repr(raw)[2:-1])
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (encode(raw).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode))


def _address(match: re.Match[str]) -> str:
    """Replaces what is an IP address, with or without a port, unless it is that of every machine itself."""
    whole = match.group()
    ended = whole.rstrip(".")
    for candidate in (ended, ended.rstrip(":"), ended.rpartition(":")[0], ended.rstrip(":").rpartition(":")[0]):
        try:
            known = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        return whole if known.is_loopback or known.is_unspecified else ADDRESS + whole[len(candidate) :]
    return whole


def _unless_digest(match: re.Match[str]) -> str:
    """Replaces what looks like key material; a digest in hexadecimal is none."""
    return match.group() if re.fullmatch(r"[0-9a-fA-F]+", match.group()) else MARK


def _rules() -> Iterable[_Rule]:
    """Yields what is replaced by what, in order; no pattern looks further than a bounded number of characters back."""

    def rule(pattern: str, replacement: str | Callable[[re.Match[str]], str], flags: int = re.IGNORECASE) -> _Rule:
        return re.compile(pattern, flags), replacement

    name_end = r"(?:token|key|secret|signature|sig|password|passwd|pwd|credentials?|auth|code|jwt|awsaccesskeyid)"
    named = rf"(?:x-(?:amz|goog)-[\w-]{{1,40}}|key-pair-id|policy|[\w.-]{{0,40}}{name_end})"
    key_end = r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----"
    segment = r"[^\s/\\'\"<>|:;,()\[\]{}*?]{1,255}"
    requests = "".join(rf"(?<!{method} )" for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

    yield rule(rf"-----BEGIN [A-Z0-9 ]{{0,40}}PRIVATE KEY-----.*?(?:{key_end}|\Z)", MARK, re.DOTALL)
    # Credentials in addresses, and in addresses that are themselves a part of one.
    yield rule(r"://(?!\[redacted\]@)[^\s/?#]{1,2048}@", f"://{MARK}@")
    yield rule(r"(%3A%2F%2F)(?!\[redacted\]%40)[^\s&/?#]{1,2048}%40", rf"\1{MARK}%40")
    yield rule(rf"((?:[?&;]|%3F|%26|%3B){named}(?:=|%3D))(?!\[redacted\])[^\s&;'\"<>\\]{{1,4096}}", rf"\1{MARK}")
    yield rule(
        r"((?:authorization|cookie|x-api-key|x-auth-token|x-xet-access-token)"
        r"(?:['\"]?\s{0,4}[:=]\s{0,4}(?:b?['\"])?|['\"],\s{0,4}b?['\"]))[^\r\n'\"\\]{1,4096}",
        rf"\1{MARK}",
    )
    yield rule(r"(bearer(?:\s|%20|\+){1,4})[\w.~+/=%-]{6,4096}", rf"\1{MARK}")
    # Tokens that tell what they are.
    yield rule(r"hf_[A-Za-z0-9]{12,}|api_org_[A-Za-z0-9]{12,}|hf_oauth_[\w.-]{12,}", MARK, 0)
    yield rule(
        r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-F]{2})|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4}))sk-[\w-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}",
        MARK,
        0,
    )
    yield rule(r"glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|A[KS]IA[0-9A-Z]{16}", MARK, 0)
    yield rule(r"eyJ[\w-]{8,4096}\.[\w-]{8,4096}(?:\.[\w-]{0,4096})?", MARK, 0)
    yield rule(
        r"((?:password|passwd|passphrase|secret|credential|(?:api|access|private|secret)[_-]?key)\w{0,20}"
        r"['\"]?\s{0,3}[:=]\s{0,3}(?:b?['\"])?)(?!\[redacted\])[^\s'\",;&)}\]\\]{1,4096}",
        rf"\1{MARK}",
    )
    yield rule(
        r"(token['\"]?\s{0,3}[:=]\s{0,3}(?:b?['\"])?)(?=[^\s'\"]{0,200}\d)(?!\[redacted\])[^\s'\",;&)}\]<\\]{6,4096}",
        rf"\1{MARK}",
    )
    # Absolute paths, then what is left of key material: paths are long too.
    yield rule(rf"(?<=[a-z])(://)/(?:{segment}/)+", "://…/")
    yield rule(r"(?<=(['\"]))/(?:[^'\"/\r\n]{1,255}/)+(?=[^'\"/\r\n]{0,255}\1)", "…/", 0)
    yield rule(rf"(?<![\w/.…~]){requests}/(?:{segment}/)+", "…/", 0)
    yield rule(r"(?<![\w+/])[A-Za-z0-9+/]{60,}={0,2}", _unless_digest, 0)
    # IP addresses: the longest run of what one may be made of.
    yield rule(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d)", _address, 0)
    yield rule(r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]{2,64}", _address, 0)


_RULES = tuple(_rules())
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
