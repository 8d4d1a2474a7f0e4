"""Attention items: made-up items whose answer is known, by which a report tells who reads what is shown.

Those that ship are public with the code. Maintainers who want secret ones put a file of the same form,
`attention.yaml`, into the site's data folder; it takes the place of the one that ships.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompts import first_fault
from evaluator.human.importers.pseudonyms import derived_name
from evaluator.human.records import Text, Turn
from evaluator.human.stages.wording import Headings
from evaluator.human.tasks import Order
from evaluator.records import Outcome, Record, SlotOrder
from leaderboard.labelling.pieces import Piece, pair_pieces, rating_pieces, relevance_pieces, verification_pieces
from leaderboard.labelling.records import WORDS_OF, Task

FILE = "attention.yaml"
"""Name of the maintainers' own file."""
_SHIPPED = files("leaderboard") / "labelling" / "attention-v1.yaml"
_OUTCOMES = (Outcome.WIN, Outcome.TIE, Outcome.LOSS)
_NEEDED = {
    Task.VERIFICATION: {"conversation", "attribute"},
    Task.RELEVANCE: {"prompt", "attribute"},
    Task.RATING: {"prompt", "attribute", "generic", "personalised"},
    Task.PAIRS: {"prompt", "known", "answer", "gold"},
}


class AttentionItem(Record):
    """One item with the answers that are right."""

    task: Task
    right: tuple[str, ...] = Field(min_length=1)
    """Words of the task; of a rating, on the scale from generic to personalised; of a pair, outcomes of `answer`."""
    conversation: tuple[Turn, ...] = ()
    prompt: Text | None = None
    attribute: Text | None = None
    generic: Text | None = None
    personalised: Text | None = None
    known: tuple[Text, ...] = ()
    """What is known of the user."""
    answer: Text | None = None
    gold: Text | None = None

    @model_validator(mode="after")
    def _fits_its_task(self) -> Self:
        words = _OUTCOMES if self.task is Task.PAIRS else WORDS_OF[self.task]
        if wrong := sorted(set(self.right) - {*words}):
            raise ValueError(f"{wrong[0]} is no answer to {self.task}")
        told = {name for name in type(self).model_fields if getattr(self, name)} - {"task", "right"}
        if told != _NEEDED[self.task]:
            raise ValueError(f"an item of {self.task} has {', '.join(sorted(_NEEDED[self.task]))}")
        return self

    @property
    def item_id(self) -> str:
        """Its name, which follows from what it says and looks like no attention item's."""
        return derived_name("item", self.model_dump_json())

    def words(self, order: Order | SlotOrder | None) -> tuple[str, ...]:
        """Returns the right words as they stand on the page.

        Args:
            order: Which of two answers stands first; None where there are no two.
        """
        if order is Order.PERSONALISED_FIRST:
            return tuple(str(6 - int(word)) for word in self.right)
        if isinstance(order, SlotOrder):
            first, second = ("A", "B") if order is SlotOrder.ANSWER_FIRST else ("B", "A")
            words = {Outcome.WIN: first, Outcome.TIE: "tie", Outcome.LOSS: second}
            return tuple(words[Outcome(word)] for word in self.right)
        return self.right

    def pieces(self, order: Order | SlotOrder | None, headings: Headings) -> tuple[Piece, ...]:
        """Returns what is shown of it, as of any other item."""
        if self.task is Task.VERIFICATION:
            return verification_pieces([self.conversation], self.attribute or "", headings)
        prompt = self.prompt or ""
        if self.task is Task.RELEVANCE:
            return relevance_pieces(prompt, self.attribute or "", headings)
        if self.task is Task.PAIRS:
            return pair_pieces(prompt, self.known, self.answer or "", self.gold or "", SlotOrder(str(order)), headings)
        texts = (prompt, self.generic or "", self.personalised or "", self.attribute or "")
        return rating_pieces(*texts, Order(str(order)), headings)


class AttentionItems:
    """All attention items, by task and name.

    Example:
        >>> items = load_attention()
        >>> all(len(items.names(task)) >= 4 for task in Task)
        True
    """

    def __init__(self, items: tuple[AttentionItem, ...]) -> None:
        """Takes items of any tasks."""
        self._items = {task: {each.item_id: each for each in items if each.task is task} for task in Task}

    def names(self, task: Task) -> tuple[str, ...]:
        """Returns the names of a task's items."""
        return tuple(self._items[task])

    def get(self, task: Task, item_id: str) -> AttentionItem | None:
        """Returns an item; None if there is none of this name."""
        return self._items[task].get(item_id)


def load_attention(folder: Path | None = None) -> AttentionItems:
    """Returns the items of a folder's own file, else those that ship.

    Args:
        folder: Where a site keeps its data.

    Raises:
        RapportError: `data_error` if the file is broken.
    """
    own = folder / FILE if folder else None
    there = own is not None and own.is_file()
    text = own.read_text(encoding="utf-8") if own and there else _SHIPPED.read_text(encoding="utf-8")
    try:
        return AttentionItems(TypeAdapter(tuple[AttentionItem, ...]).validate_python(yaml.safe_load(text)))
    except ValidationError as error:
        raise _broken(first_fault(error)) from error
    except yaml.YAMLError as error:
        raise _broken(" ".join(str(error).split())) from error


def _broken(fault: str) -> RapportError:
    return RapportError(Cause.DATA_ERROR, f"{FILE} is broken: {fault}.", "Mend it, or take it away.")
