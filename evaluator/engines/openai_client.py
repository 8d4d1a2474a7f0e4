"""How a chat-completions server is spoken to: many requests at once, tried again, and never with a stray secret.

The client library does the trying again (408, 409, 429, 5xx, lost connections and time-outs; with growing pauses, or
for as long as `Retry-After` says, up to two minutes). What it would take from the environment (addresses, keys,
organisations, headers, proxies) is kept out, and redirects are not followed: prompts and key go where the
specification says, and nowhere else.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

import anyio
from openai import (
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    AuthenticationError,
    DefaultAsyncHttpxClient,
    NotFoundError,
    Omit,
    OpenAIError,
    PermissionDeniedError,
    Timeout,
)
from pydantic import BaseModel, SecretStr, ValidationError

from evaluator.engines.base import EndpointSpec
from evaluator.errors import Cause, RapportError

_CONNECT_SECONDS = 10.0
THREAD = "asking"
"""What threads are called in which event loops run."""
_NO_KEY = "EMPTY"
"""What servers that ask for no key are sent by convention."""
_SHOWN = 300
"""Characters of a server's own words that an error repeats."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Reply = TypeVar("Reply", bound=BaseModel)


class Server:
    """An open connection; it belongs to one event loop."""

    def __init__(self, spec: EndpointSpec, client: AsyncOpenAI) -> None:
        """Takes over a client whose closing stays with its owner."""
        self._spec, self._client = spec, client
        self._root = spec.base_url.rstrip("/").removesuffix("/v1")
        self._patience = spec.request_seconds * (spec.retries + 1)

    async def ask(self, reply: type[Reply], path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """Returns the reply to a GET, or to a POST where there is a body.

        Args:
            reply: What the reply is read as.
            path: Below the base address, such as `/models`; with `//` in front below the server's root.
            body: What is sent as JSON.

        Raises:
            OpenAIError: What was left after all attempts.
            TimeoutError: If the server was reached but did not answer in time.
            RapportError: `load_error` if the reply is not what it should be.
        """
        address = self._root + path[1:] if path.startswith("//") else path
        try:
            with anyio.fail_after(self._patience):
                if body is None:
                    content = await self._client.get(address, cast_to=bytes)
                else:
                    content = await self._client.post(address, cast_to=bytes, body=body)
        except APITimeoutError as error:
            if type(error.__cause__).__name__ == "ConnectTimeout":
                raise
            raise TimeoutError from None
        try:
            return reply.model_validate_json(content)
        except ValidationError:
            raise RapportError(
                Cause.LOAD_ERROR,
                f"The server of {self._spec.model} at {self._spec.base_url} answered {path} with something else.",
                "Check that the address is that of an OpenAI-compatible server, most often with /v1 at the end.",
            ) from None


class OpenAIClient:
    """Asks one endpoint; threads and connections live only as long as what is being asked."""

    def __init__(self, spec: EndpointSpec) -> None:
        """Reads the key from the environment.

        Raises:
            RapportError: `gated` if the variable that the specification names holds no key.
        """
        self._spec = spec
        self._key = _read_key(spec.key_variable)

    def each(self, items: Sequence[Item], ask: Callable[[Server, Item], Awaitable[Result]]) -> Iterator[Result]:
        """Yields one result an item, in the order in which they finish.

        Items are taken up in their order, `concurrency` of them at the same time, whether or not the caller is waiting.
        A caller that stops early cancels what is under way.

        Raises:
            RapportError: What `ask` raised, or what its `OpenAIError` or `TimeoutError` comes to; it ends the others.
        """
        results: SimpleQueue[Result | Future[None]] = SimpleQueue()
        ended: Future[None] = Future()
        given_up: Future[None] = Future()

        def serve_all() -> None:
            try:
                asyncio.run(_unless(given_up, self._serve(items, ask, results.put)))
                ended.set_result(None)
            except BaseException as error:  # noqa: BLE001 - Whatever it is, the caller's thread raises it.
                ended.set_exception(error)
            results.put(ended)

        # Ctrl-C may come at any line here: what was not told to give up is not waited for, and ends with the process.
        thread = threading.Thread(target=serve_all, daemon=True, name=THREAD)
        try:
            thread.start()
            while (result := results.get()) is not ended:
                yield result  # type: ignore[misc]
            ended.result()
        finally:
            given_up.cancel()
            if thread.is_alive():
                thread.join()

    async def _serve(
        self,
        items: Sequence[Item],
        ask: Callable[[Server, Item], Awaitable[Result]],
        emit: Callable[[Result], None],
    ) -> None:
        """Hands every item's result over."""
        waiting = iter(items)
        async with _Client(self._spec, self._key) as client:
            server = Server(self._spec, client)

            async def serve() -> None:
                for item in waiting:
                    emit(await ask(server, item))

            try:
                async with anyio.create_task_group() as crew:
                    for _ in range(min(self._spec.concurrency, len(items))):
                        crew.start_soon(serve)
            except ExceptionGroup as several:
                first = several.exceptions[0]  # It ended the others, and they ask the same server.
                raise (self.typed(first) if isinstance(first, OpenAIError | TimeoutError) else first) from None

    def typed(self, error: OpenAIError | TimeoutError) -> RapportError:
        """Says what is left of an error after all attempts, for whoever has to act on it."""
        where = f"The server of {self._spec.model} at {self._spec.base_url}"
        if isinstance(error, TimeoutError):
            return RapportError(
                Cause.TIMEOUT, f"{where} did not answer in time.", "Look at its load, or grant more seconds a request."
            )
        if isinstance(error, APIStatusError):
            return _refusal(error, where, self.words(error))
        reason = " ".join(str(error.__cause__ or error).split())[:_SHOWN]
        return RapportError(
            Cause.INFRASTRUCTURE, f"{where} cannot be reached: {reason}.", "Start it, or mend the address."
        )

    def words(self, error: APIStatusError) -> str:
        """Returns the server's own words on one line, cut to what fits an error, and free of the key."""
        shown = " ".join(error.message.split())
        secret = self._key.get_secret_value()
        return (shown.replace(secret, "***") if secret != _NO_KEY else shown)[:_SHOWN]


async def _unless(given_up: Future[None], serving: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine to its end, or until another thread cancels a future, be it before this begins."""
    task, told = asyncio.ensure_future(serving), asyncio.wrap_future(given_up)
    told.add_done_callback(lambda _: task.cancel())
    try:
        await task
    finally:
        told.cancel()


class _Client(AsyncOpenAI):
    """The library's client with the headers that a request needs, and none that the environment wants."""

    def __init__(self, spec: EndpointSpec, key: SecretStr) -> None:
        """Opens nothing yet."""
        super().__init__(
            base_url=spec.base_url,
            api_key=key.get_secret_value(),
            admin_api_key="",
            max_retries=spec.retries,
            http_client=DefaultAsyncHttpxClient(
                timeout=Timeout(spec.request_seconds, connect=min(_CONNECT_SECONDS, spec.request_seconds)),
                trust_env=False,
                follow_redirects=False,
            ),
        )

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        return {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "rapport"}


def _read_key(variable: str | None) -> SecretStr:
    """Returns the key that an environment variable holds, in a wrapper that shows nothing of it."""
    if variable is None:
        return SecretStr(_NO_KEY)
    key = SecretStr(os.environ.get(variable, ""))
    if not key or not all("!" <= character <= "~" for character in key.get_secret_value()):
        raise RapportError(
            Cause.GATED,
            f"The environment variable {variable} holds no key: it is empty, or has spaces or unusual characters.",
            "Set it to the key of the server, without quotes or a line's end.",
        )
    return key


def _refusal(error: APIStatusError, where: str, words: str) -> RapportError:
    """Returns the error that stands for a status that ends the run."""
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        # Servers like to repeat a part of the key that they refuse.
        return RapportError(Cause.GATED, f"{where} refuses the key.", "Give it a valid key.")
    if isinstance(error, NotFoundError):
        return RapportError(Cause.NOT_FOUND, f"{where} says: {words}.", "Check the address and the model's name.")
    if error.status_code in (408, 409, 429) or error.status_code >= 500:
        return RapportError(
            Cause.INFRASTRUCTURE, f"{where} gave up after all attempts: {words}.", "Look at its log, then try again."
        )
    if error.status_code < 400:
        return RapportError(
            Cause.LOAD_ERROR, f"{where} sends us to another address.", "Name the final address yourself."
        )
    return RapportError(Cause.LOAD_ERROR, f"{where} refuses the request: {words}.", "Mend what it names.")
