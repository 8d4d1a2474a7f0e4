"""What goes wrong between a command and a site, said in one sentence with a remedy."""

from __future__ import annotations

import json

import httpx

from evaluator.errors import Cause, RapportError


class NoAnswer(RapportError):
    """The site is away, too old, too busy, or what it says is no answer: nothing is known of what was asked."""

    def __init__(self, message: str, remedy: str, after: float | None = None) -> None:
        """Keeps after how many seconds the site wants to be asked again, if it said so."""
        super().__init__(Cause.INFRASTRUCTURE, message, remedy)
        self.after = after


def explained(error: Exception, url: str, endpoint: str) -> RapportError:
    """Says in one sentence what an error of the client means, and what to do."""
    from gradio_client.exceptions import AppError
    from gradio_client.utils import QueueError, TooManyRequestsError

    if isinstance(error, AppError):
        return _refusal(error.title, error.message, url)
    if isinstance(error, httpx.HTTPStatusError):
        return _status(error.response, url)
    if isinstance(error, TooManyRequestsError):
        return NoAnswer(f"{url} has been asked too often from here.", "Try it again in a minute.")
    if isinstance(error, QueueError):
        return NoAnswer(f"{url} has too much to do right now.", "Try it again in a minute.")
    if isinstance(error, TimeoutError | httpx.TransportError):
        return NoAnswer(
            f"{url} does not answer ({type(error).__name__}).", "See whether a browser reaches it, and try it again."
        )
    if isinstance(error, TypeError) and "Parameter" in str(error):
        return too_old(url, endpoint)
    return nonsense(url)


def _refusal(title: object, message: object, url: str) -> RapportError:
    """Reads what the site refuses something for."""
    if isinstance(title, str) and isinstance(message, str) and title in frozenset(Cause):
        return RapportError(Cause(title), shown(message), "")
    return NoAnswer(f"{url} failed in answering this.", "Its maintainer finds the reason in its log.")


def _status(response: httpx.Response, url: str) -> NoAnswer:
    """Says what a status means; the guard of a site explains itself in `detail`."""
    try:
        told = response.json()["detail"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        told = ""
    said = f": {shown(told)}" if isinstance(told, str) and told else "."
    after = response.headers.get("retry-after", "")
    seconds = float(after) if after.isascii() and after.isdigit() and len(after) < 6 else None
    remedy = f"Try it again in {after} seconds." if seconds else "Check the address, or try it again in a minute."
    if response.is_redirect:
        said, remedy = ", which leads elsewhere.", "Write the address that a browser shows in the end, with https."
    if response.status_code == 429 and said != ".":
        remedy = ""  # The guard has said when.
    return NoAnswer(f"{url} answered with status {response.status_code}{said}", remedy, seconds)


def too_old(url: str, endpoint: str) -> NoAnswer:
    """Says that a site has no such endpoint."""
    return NoAnswer(
        f"{url} has no endpoint `{endpoint}` that takes this: it is older than this command, or no Rapport.",
        "Check the address; use its page, or a `rapport` of its own version.",
    )


def nonsense(url: str) -> NoAnswer:
    """Says that what a site answers is none of what was asked for."""
    return NoAnswer(
        f"What {url} answered is nothing that this command understands.",
        "Check that it is the address of a Rapport's board, with https where it has that, and see whether `rapport` "
        "is up to date.",
    )


def shown(text: str) -> str:
    r"""Returns a text that a terminal shows in one line and does not obey.

    Example:
        >>> shown("no\x1b[31m line\n")
        'no\\x1b[31m line\\n'
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
