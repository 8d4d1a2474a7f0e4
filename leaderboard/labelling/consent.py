"""The text that somebody agrees to before the first label."""

from __future__ import annotations

from pydantic import Field

from evaluator.identity import digest
from evaluator.records import Record


class ConsentText(Record):
    """What is agreed to. Whoever changes a word of it gives it another version: everybody is then asked anew."""

    version: str
    licence: str
    """Licence under which labels are given, as in the column `licence`."""
    paragraphs: tuple[str, ...] = Field(min_length=1)

    @property
    def sha(self) -> str:
        """The SHA-256 of all of it, as 64 hexadecimal characters."""
        return digest(self.model_dump(mode="json"))


CONSENT = ConsentText(
    version="labelling-v2",
    licence="cc-by-4.0",
    paragraphs=(
        "You label by your own free choice, you may stop at any time, and nobody pays for it.",
        "What is kept: each label with its item, the moment, the seconds it took, and the order of two answers. Your "
        "name is not kept with it: a pseudonym takes its place, the same for all of your labels, which nobody can "
        "turn back without a secret of this site.",
        "What is public: your labels under that pseudonym, each with its item's name, the moment, the seconds it took, "
        "and the order of two answers, with the text of no item, in this site's public data set, under the licence "
        "CC BY 4.0. Everybody may use them, to measure models for instance.",
        "Some items have a known answer. How many of those you answered is public under your pseudonym, and how many "
        "of your first answers to them were right; which items they are is not told, and they are not among the labels "
        "that you can download.",
        "You may withdraw on this page at any time, without a reason. All your labels then disappear from the present "
        "state of the public data set; a note stays that this pseudonym withdrew, and when. Copies that others made, "
        "and earlier states of the data set, are beyond that. The private archive keeps them, marked as withdrawn; "
        "ask the maintainers if that is to be erased as well.",
    ),
)
"""The present text."""
