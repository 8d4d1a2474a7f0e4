"""Chat messages to token ids, the same way for every engine that runs a model itself.

Templates come from strangers: they are rendered by transformers' sandbox, never with code of the repository, and with
a pinned date, so that a prompt does not change from one day to the next.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from evaluator.engines.base import TEMPLATE_DATE, Completion, Message, Request
from evaluator.errors import Cause, RapportError
from evaluator.identity import digest, text_digest

_DATE = datetime.datetime.fromisoformat(TEMPLATE_DATE)


class PromptRenderer:
    """Renders chat messages with a model's own template and tokenizer.

    Attributes:
        tokenizer: The model's tokenizer.
        template_hash: SHA-256 of the chat template's text.
        arguments: What the template is told, as sorted name and value pairs.
    """

    def __init__(self, tokenizer: Any, model: str) -> None:
        """Takes the tokenizer of `model`.

        Raises:
            RapportError: `no_chat_template` if the tokenizer has none.
        """
        if not tokenizer.chat_template:
            raise RapportError(
                Cause.NO_CHAT_TEMPLATE,
                f"{model} has no chat template, so it is a base model and cannot hold a conversation.",
                "Submit an instruction-tuned model, or add a chat template to its tokenizer.",
            )
        self.tokenizer = tokenizer
        self.template_hash = text_digest(tokenizer.get_chat_template())
        self.arguments = (("date_string", _DATE.strftime("%d %b %Y")), ("strftime_now", TEMPLATE_DATE))

    def render(self, messages: Sequence[Message]) -> list[int]:
        """Returns the prompt's token ids, the generation prompt at the end and no special token twice."""
        text = self.tokenizer.apply_chat_template(
            [message._asdict() for message in messages],
            tokenize=False,
            add_generation_prompt=True,
            date_string=self.arguments[0][1],
            strftime_now=_DATE.strftime,
        )
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def text(self, token_ids: Sequence[int]) -> str:
        """Returns the text of an answer: without special tokens, and the same whichever engine produced it."""
        text: str = self.tokenizer.decode(token_ids, skip_special_tokens=True)
        return text


def prompt_digest(token_ids: Sequence[int]) -> str:
    """Returns the SHA-256 that names a prompt, 64 hexadecimal characters."""
    return digest(list(token_ids))


def overflow(request: Request, prompt: Sequence[int]) -> Completion:
    """Returns the completion of a prompt that does not fit the context: reported, never cut."""
    return Completion(
        key=request.key,
        text=None,
        failure=Cause.CONTEXT_OVERFLOW,
        prompt_hash=prompt_digest(prompt),
        prompt_tokens=len(prompt),
        cached_tokens=0,
        shared_tokens=0,
        output_tokens=0,
        finish_reason="error",
        seconds=0.0,
    )
