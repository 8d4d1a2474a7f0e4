"""A site on the network, asked through Gradio's own client: typed answers, and one sentence for whatever goes wrong."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from evaluator.errors import Cause, RapportError
from leaderboard.cli.remote_errors import explained, nonsense, too_old

TOKEN = "RAPPORT_TOKEN"  # noqa: S105 - The name of a variable.
"""Environment variable with the Hub token that names whoever acts; sent to the site that is named and nowhere else."""

_SECONDS = 60.0
"""For a part of an answer; the site sends a sign of life every 15 seconds."""
_LONGEST_SECONDS = 600.0

_LEAST_GRADIO = 6
"""Major version of Gradio that a site runs on."""

Answer = TypeVar("Answer")


class Site:
    """One site.

    Example:
        >>> Site("https://org-rapport.hf.space").call("board", BoardPage)["total"]  # doctest: +SKIP
        12
    """

    def __init__(self, url: str, *, acts: bool = False) -> None:
        """Connects at the first call.

        Args:
            url: Its address, as a browser shows that of the board.
            acts: Whether it has to know who asks: only then the token of `RAPPORT_TOKEN` is sent.

        Raises:
            RapportError: `data_error` for what is no address, `forbidden` if a token would go over the network in the
                clear.
        """
        self.url = address(url)
        self._headers = authorization(self.url, os.environ) if acts else {}
        self._client: Any = None

    def call(self, endpoint: str, kind: type[Answer], **arguments: object) -> Answer:
        """Asks an endpoint.

        Args:
            endpoint: Its name.
            kind: What it answers, of `leaderboard.api.records`.
            arguments: By name; what is left out is as the endpoint says.

        Raises:
            RapportError: What the site refuses it for, or a `NoAnswer`.
        """
        failure: RapportError | None = None
        answer: object = None
        try:
            client = self._connected()
            if endpoint not in _endpoints(client):
                raise too_old(self.url, endpoint)
            answer = client.submit(api_name=f"/{endpoint}", **arguments).result(timeout=_LONGEST_SECONDS)
        except RapportError:
            raise
        except Exception as error:  # noqa: BLE001 - Gradio's client raises whatever it trips over.
            failure = explained(error, self.url, endpoint)
        if failure is not None:  # Raised out here: an error of the client holds the request with its headers.
            raise failure
        try:
            return TypeAdapter(kind).validate_python(answer)
        except ValidationError:
            raise nonsense(self.url) from None

    def _connected(self) -> Any:
        """Returns Gradio's client."""
        if self._client is None:
            check_site(self.url)
            os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Its argument alone does not keep it from telling.
            from gradio_client import Client

            self._client = Client(
                self.url,
                token=False,  # None would send the token that is saved on this machine.
                headers=self._headers,
                verbose=False,
                download_files=False,
                analytics_enabled=False,
                httpx_kwargs={"timeout": _SECONDS},
            )
        return self._client


def check_site(url: str) -> None:
    """Makes sure that a site is one that Gradio's client asks nobody else about.

    Of a site that says that it is very old, or does not say how old, the client asks a service of Gradio's, with all
    headers that are meant for the site.

    Raises:
        httpx.HTTPError: If it does not answer, or with another status than success.
        RapportError: A `NoAnswer` if it is no such site.
    """
    answer = httpx.get(f"{url}/config", timeout=_SECONDS)
    answer.raise_for_status()
    try:
        config = answer.json()
        version = int(str(config["version"]).partition(".")[0])
        fits = version >= _LEAST_GRADIO and str(config["protocol"]).startswith("sse_v")
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise nonsense(url)


def address(url: str) -> str:
    """Returns an address without what a page of the site adds to it.

    Raises:
        RapportError: `data_error` for what is no address of a site.

    Example:
        >>> address("https://board.example/queue?page=2"), address("http://127.0.0.1:7860/")
        ('https://board.example', 'http://127.0.0.1:7860')
    """
    try:
        parts = urlsplit(url.strip())
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.username or parts.password)
        if known and (parts.port is None or parts.port):
            return f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        pass
    raise RapportError(
        Cause.DATA_ERROR, f"{url[:200]!r} is no address of a site.", "Write it as https://name, as a browser shows it."
    )


def authorization(url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the header that names whoever acts; none without a token.

    Raises:
        RapportError: `forbidden` if the token would cross a network unencrypted.

    Example:
        >>> authorization("https://board.example", {"RAPPORT_TOKEN": "hf_abc"}), authorization("http://b.example", {})
        ({'Authorization': 'Bearer hf_abc'}, {})
    """
    token = environment.get(TOKEN, "").strip()
    if not token:
        return {}
    if not token.isascii() or not token.isprintable() or " " in token:
        raise RapportError(Cause.FORBIDDEN, f"What stands in {TOKEN} is no token.", "Copy it again, whole and alone.")
    if not (url.startswith("https://") or _is_here(urlsplit(url).hostname or "")):
        raise RapportError(
            Cause.FORBIDDEN,
            f"{TOKEN} is sent over https alone, and this address is http.",
            "Write the address with https.",
        )
    return {"Authorization": f"Bearer {token}"}


def _endpoints(client: Any) -> frozenset[str]:
    """Names the endpoints that a site offers."""
    return frozenset(
        name.removeprefix("/") for name in client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    )


def _is_here(host: str) -> bool:
    """Says whether a host is this machine, by name or address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
