"""Keeps every call to the Hub short: counted, with a limit of time, and without the client's own long waits.

The client of `huggingface_hub` has no limit of time for most of its calls, and sleeps for as long as the Hub asks it
to when it has called too often: an hour, if the hour's commits are spent. So within `watched` a call that is refused
or fails on the Hub's side raises at once, and whoever made it decides. Calls made elsewhere are left alone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

from huggingface_hub import set_client_factory
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx, parse_ratelimit_headers  # type: ignore[attr-defined]
from huggingface_hub.utils._http import hf_request_event_hook

from leaderboard.store.base import StoreBusy, StoreError, StoreForbidden, StoreFull, StoreGone, StoreUnavailable
from leaderboard.store.hub_budget import Budget

_CONNECT_SECONDS = 10.0
_PATIENCE_SECONDS = 5.0
"""A call that may be made within this time is waited with; a later one is refused."""

_LONGEST_SECONDS = 600.0
"""How long anything may take that is no call of the store's own, such as sending a large file in another thread."""

_BUSY_SECONDS = 60.0
"""How long the Hub is left alone when it does not say."""


class Passing(StoreUnavailable):
    """A failure that may be gone at the next try."""

    remedy = "Try again in some minutes; if it lasts, look at https://status.huggingface.co."


class Raced(StoreUnavailable):
    """The Hub holds something else than the call was about: somebody was faster."""

    def __init__(self, place: str) -> None:
        """Take the place."""
        super().__init__(place, "it changes while it is being used")
        self.args = (place,)  # What makes an equal one.


class Watch(NamedTuple):
    """What every call of one store is held to."""

    place: str
    budget: Budget
    seconds: float
    """How long the Hub may stay silent."""
    pause: Callable[[float], None]
    """Waits for some seconds."""


_current: ContextVar[Watch | None] = ContextVar("current", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Hold the calls made within the block to a store's rules, and tell their failures as the store's own.

    Raises:
        StoreBusy: if the Hub was asked too often, by its own count or by ours.
        Raced: if what was asked for is not there any more, or a commit came in between.
        Passing: if the Hub fails or does not answer.
        StoreForbidden: if the token may not do this.
        StoreGone: if there is no such data set.
        StoreFull: if the Hub has no room left.
        StoreUnavailable: for any other answer.
    """
    _install()
    before = _current.set(watch)
    try:
        with _told(watch.place):
            yield
    finally:
        _current.reset(before)


@cache
def _install() -> None:
    """Make the client of this process one that knows `watched`."""
    set_client_factory(
        lambda: _Client(
            event_hooks={"request": [hf_request_event_hook]}, follow_redirects=True, timeout=_LONGEST_SECONDS
        )
    )


class _Client(httpx.Client):
    """What the client speaks through by default, but for calls made within `watched`."""

    def send(self, request: Any, **options: Any) -> Any:
        """Send a request and return its answer."""
        watch = _current.get()
        if watch is None:
            return super().send(request, **options)
        _wait_turn(watch)
        timeout = httpx.Timeout(watch.seconds, connect=min(_CONNECT_SECONDS, watch.seconds))
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
        try:
            answer = super().send(request, **options)
        except httpx.TransportError as error:
            raise Passing(watch.place, f"it does not answer ({type(error).__name__})") from error
        _check(watch, answer.status_code, answer.headers, request.url.path)
        return answer


def _wait_turn(watch: Watch) -> None:
    wait = watch.budget.take_call(_PATIENCE_SECONDS)
    if wait > _PATIENCE_SECONDS:
        raise StoreBusy(watch.place, wait)
    if wait:
        watch.pause(wait)


def _check(watch: Watch, status: int, headers: Mapping[str, str], path: str) -> None:
    """Refuse the answers that the client would repeat its call after."""
    if status == 429:
        seconds = _wait_of(headers)
        watch.budget.refused(seconds, commit="/commit/" in path or "/super-squash/" in path)
        raise StoreBusy(watch.place, seconds)
    if status == 408 or (status >= 500 and status != 507):
        raise Passing(watch.place, f"it answered {status}")


def _wait_of(headers: Mapping[str, str]) -> float:
    """Return how long the Hub wants to be left alone, in either of the ways it says so."""
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        told = parse_ratelimit_headers(headers)
        return float(told.reset_in_seconds) if told and not told.remaining else _BUSY_SECONDS


@contextmanager
def _told(place: str) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except HfHubHTTPError as error:
        raise _refusal(place, error) from error
    except OfflineModeIsEnabled as error:
        raise StoreUnavailable(place, "HF_HUB_OFFLINE forbids every call") from error
    except (OSError, RuntimeError) as error:  # What sends large files has errors of its own, of these kinds.
        raise Passing(place, f"a call to it failed ({type(error).__name__})") from error
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise StoreUnavailable(place, f"its answer cannot be used ({type(error).__name__})") from error


def _refusal(place: str, error: HfHubHTTPError) -> StoreError:
    """Return what an answer of the kind 4xx means."""
    match error:
        case GatedRepoError():
            return StoreForbidden(place, "it is gated", "Use a token whose owner was given access to it.")
        case RepositoryNotFoundError():
            return StoreGone(
                place, "Check the name, and that the token may see it; `rapport store create` makes a new one."
            )
        case RevisionNotFoundError() | EntryNotFoundError():
            return Raced(place)
    return _refusal_by_status(place, error.response.status_code, (error.server_message or "").lower())


def _refusal_by_status(place: str, status: int, said: str) -> StoreError:
    if status in (413, 507) or (status in (402, 403) and "storage" in said):
        return StoreFull(place)
    if status in (409, 412):
        return Raced(place)
    if status == 401:
        return StoreForbidden(place, "the token is not valid", "Put a token into HF_TOKEN that has not expired.")
    if status == 403:
        return StoreForbidden(
            place,
            "the token may not do this",
            "Put a token into HF_TOKEN that may write to the contents of this one data set; it needs nothing else.",
        )
    return StoreUnavailable(place, f"it answered {status}")
