"""Texts without disguise: what a reader takes a text for, whichever signs it is written in.

Whoever hides words from a program writes them in full-width or bold letters, puts signs between letters that nobody
sees, or takes letters of another alphabet that look alike. All of this is undone, in time that grows with a text's
length alone. What comes of it is compared and searched, and nobody reads it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""Whatever some reader may take for the end of a line."""
_FOREIGN = re.compile(r"[^\x00-\x7f\x85\u2028\u2029]+")
_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03b1\u03b9\u03bd\u03bf\u03c1\u03c5\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7"
    "\u0131\u2019\u2018\u201c\u201d",
    "aeopcyxijshdqwABEKMHOPCTYXIJSaivopuABEHIKMNOPTXi''\"\"",
)
"""Cyrillic and Greek letters that look like Latin ones, and curved quotation marks."""
_BLANK = {0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0}
"""Signs that count as letters or symbols and show nothing."""


def plain(text: str) -> str:
    r"""Returns a text in plain signs: compatibility forms are undone, what cannot be seen and accents are left out.

    Lines end in `\n`. A text in ASCII stays as it is but for that.

    Example:
        >>> plain("ＢＥＴＴＥＲ \u200bRes\u00adponse：\u2028А")
        'BETTER Response:\nA'
    """
    return _BREAKS.sub("\n", text if text.isascii() else _FOREIGN.sub(_as_plain, text))


def _as_plain(signs: re.Match[str]) -> str:
    """Returns what some signs beyond ASCII come to."""
    return "".join(map(_plain_sign, signs[0]))


@lru_cache(maxsize=2**14)
def _plain_sign(sign: str) -> str:
    """Returns what one sign comes to; marks are left out, so that none has to be brought into order with another."""
    kept = (each for each in unicodedata.normalize("NFKD", sign) if ord(each) not in _BLANK and not _is_unseen(each))
    return "".join(kept).translate(_ALIKE)


def _is_unseen(sign: str) -> bool:
    """Says whether a sign has no place of its own in a line: marks above or below letters, joiners, directions."""
    return unicodedata.combining(sign) != 0 or unicodedata.category(sign) in ("Mn", "Me", "Cf")


def words_only(text: str) -> str:
    """Returns the words of a plain text and single gaps between them, in lower case.

    Example:
        >>> words_only("  The *ramen*, as always!")
        'the ramen as always'
    """
    return " ".join(_WORD.findall(text.casefold()))


_WORD = re.compile(r"[^\W_]+")
