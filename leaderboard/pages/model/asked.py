"""What addresses of the pages of a model and of its answers ask for, and the addresses of what is asked for.

Whatever stands in an address is text: what cannot be meant is left out, and what is the default is not written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from evaluator.hicupid.questions import QuestionType
from leaderboard.pages.asking import address_of, first_of, one_of, page_number, page_told

MODEL, ANSWERS, ANSWER = "/model", "/answers", "/answer"
DEFECT = "defect"
ONLY = ("lost", "tied", "won", "missing", "flipped", DEFECT)
"""By what answers are looked for: their outcomes, whether the slot orders disagree, and what lost without a judge."""
SENTIMENTS: Mapping[str, str] = {"POS": "likes", "NEG": "dislikes"}
_LONGEST = 200


class Asked(NamedTuple):
    """Which answers are to be shown; the whole state of their pages."""

    scorecard: str = ""
    """Id of a scorecard."""
    only: str = ""
    """One of `ONLY`; empty for all."""
    type: str = ""
    """A type of question; empty for all, as are the following."""
    split: str = ""
    category: str = ""
    sentiment: str = ""
    """`POS` or `NEG`."""
    q: str = ""
    """Words, one space between two."""
    page: int = 1
    """From 1."""

    @property
    def address(self) -> str:
        """The address of the list.

        Example:
            >>> Asked("s-1.demo-v1@demo", "lost", q="a b", page=2).address
            '/answers?scorecard=s-1.demo-v1@demo&only=lost&q=a%20b&page=2'
        """
        return address_of(ANSWERS, self._told())

    def of(self, question_id: str) -> str:
        """Returns the address of one answer, among those that are asked for.

        Example:
            >>> Asked("s-1.demo-v1@demo", "lost", page=2).of("test_1/7")
            '/answer?scorecard=s-1.demo-v1@demo&question=test_1/7&only=lost'
        """
        told = self._replace(page=1)._told()
        return address_of(ANSWER, {"scorecard": told.pop("scorecard", ""), "question": question_id, **told})

    @property
    def filtered(self) -> bool:
        """Whether anything but the scorecard is asked for."""
        return self._replace(page=1) != Asked(self.scorecard)

    def _told(self) -> dict[str, str]:
        """Returns names and values as they stand in an address."""
        return {**self._asdict(), "page": page_told(self.page)}


def asked_of(pairs: Iterable[tuple[str, str]]) -> Asked:
    """Reads an address.

    Args:
        pairs: Names and values of its query, in order; of a name that is given twice the first that says something
            counts.

    Example:
        >>> asked_of([("only", "lots"), ("only", "lost"), ("q", " a  b "), ("page", "-1"), ("sentiment", "NEG")])
        Asked(scorecard='', only='', type='', split='', category='', sentiment='NEG', q='a b', page=1)
    """
    values = first_of(pairs)
    return Asked(
        values.get("scorecard", ""),
        one_of(values.get("only", ""), ONLY),
        one_of(values.get("type", ""), tuple(QuestionType)),
        values.get("split", "")[:_LONGEST],
        values.get("category", "")[:_LONGEST],
        one_of(values.get("sentiment", ""), tuple(SENTIMENTS)),
        " ".join(values.get("q", "").split())[:_LONGEST],
        page_number(values.get("page", "")),
    )


def model_address(name: str) -> str:
    """Returns where the page of a model stands.

    Args:
        name: The model's, or the id of the scorecard that the page is to show.

    Example:
        >>> model_address("org/model"), model_address("s-1.demo-v1@demo")
        ('/model?id=org/model', '/model?id=s-1.demo-v1@demo')
    """
    return address_of(MODEL, {"id": name})
