"""How much the prompts of a group share, as far as a server tells their tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from openai import BadRequestError, OpenAIError

from evaluator.engines.base import EndpointSpec, Request
from evaluator.engines.openai_client import OpenAIClient, Server
from evaluator.engines.openai_facts import token_ids
from evaluator.engines.prefixes import SharedPrefixes


class ToldPrefixes:
    """Remembers the prompts of each group, and of which groups one is not known.

    Example:
        >>> prefixes = ToldPrefixes()
        >>> [prefixes.add("user 1", prompt) for prompt in ((1, 2), (1, 3), None, (1, 2))]
        [0, 1, None, None]
    """

    def __init__(self) -> None:
        """Knows of no prompt."""
        self._prefixes = SharedPrefixes()
        self._untold: set[str] = set()

    def add(self, group: str, prompt: Sequence[int] | None) -> int | None:
        """Returns the longest common prefix of a prompt with any earlier one of its group, then remembers it.

        None where its tokens, or those of an earlier one, are not known.
        """
        if prompt is None:
            self._untold.add(group)
            return None
        return None if group in self._untold else self._prefixes.add(group, prompt)


def prefixes_after(seen: Iterable[Request], spec: EndpointSpec, client: OpenAIClient) -> ToldPrefixes:
    """Returns the prefixes of some prompts that were answered before, whose messages are as the template takes them."""
    prefixes = ToldPrefixes()

    async def tell(server: Server, request: Request) -> tuple[str, tuple[int, ...] | None]:
        try:
            return request.group, await token_ids(server, spec, request.messages)
        except BadRequestError:
            return request.group, ()  # What the template refuses was never computed.
        except (OpenAIError, TimeoutError):
            return request.group, None

    asked = list(seen)
    for group, prompt in client.each(asked, tell) if asked else ():
        if prompt != ():
            prefixes.add(group, prompt)
    return prefixes
