"""The publisher's mark in Redis, by which it notices that Redis has lost something, wholly or back to an older copy.

The publisher keeps in its own memory and in a file what the mark says, and raises it again and again, always before it
writes to the store what it has read from Redis. A Redis whose mark is missing or older has therefore lost something
since; one whose mark is the right one has not lost anything that was saved. Each commit bears the mark under which it
was made, so that a file and a Redis which both came back from one old copy of a machine are not believed.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from redis import Redis

from leaderboard.connection import text
from leaderboard.submissions import keys
from worker.hold import Displaced, Hold
from worker.mark import Mark, MarkFile, Noted, read_mark

# KEYS: hold, mark. ARGV: whose hold, its milliseconds, the mark before ('' for any), the mark after ('' for none).
# -1: another has the hold; 0: it is not the mark before; 1: it is the mark after, perhaps already: an answer was lost.
_SET = """
local holder, mark = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return -1 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if ARGV[3] ~= '' and mark ~= ARGV[3] then return mark == ARGV[4] and 1 or 0 end
if ARGV[4] == '' then redis.call('DEL', KEYS[2]) else redis.call('SET', KEYS[2], ARGV[4]) end
return 1
"""


class MemoryLost(RuntimeError):
    """Redis does not hold what it held a moment ago; the ledger has to be restored before anything is written."""


class Epoch:
    """The time for which Redis has kept its memory, as one publisher sees it.

    Every change of the mark also takes the hold if nobody has it, and is refused while another publisher does.

    Example:
        >>> epoch = Epoch(redis, Hold(redis))  # doctest: +SKIP
        >>> epoch.goes_on()  # doctest: +SKIP
        False
        >>> epoch.begin(None)  # doctest: +SKIP
        >>> epoch.goes_on()  # doctest: +SKIP
        True
    """

    def __init__(self, redis: Redis, hold: Hold, file: Path | None = None) -> None:
        """Has not begun: what Redis holds by now may be an older copy. The mark is noted in `file`."""
        self._redis, self._hold, self._file = redis, hold, MarkFile(file)
        self._set = redis.register_script(_SET)
        self._noted: Noted | None = None

    @property
    def begun(self) -> bool:
        """Whether the mark was ever known."""
        return self._noted is not None

    def goes_on(self) -> bool:
        """Raises the mark if it is the one that was left here; says whether it was.

        Raises:
            Displaced: If another publisher is at work.
            StoreError: If the file cannot be written.
        """
        return self._raise(durably=False) is not None

    def check(self) -> Mark:
        """Raises the mark; to be called after reading what is to be written to the store, and before writing it.

        Returns:
            The mark that the commit is to bear.

        Raises:
            MemoryLost: If it is not the one that was left here.
            Displaced: If another publisher is at work.
            StoreError: If the file cannot be written.
        """
        mark = self._raise(durably=True)
        if mark is None:
            raise MemoryLost("the mark in Redis is not the one that was left there")
        return mark

    def resume(self, saved: Mark | None) -> bool:
        """Goes on from the mark of the publisher before this one, if nothing was lost since; says whether it does.

        The file may be one step behind Redis, since that is raised first, but never ahead of it.

        Args:
            saved: The newest mark in the store.

        Raises:
            Displaced: If another publisher is at work.
        """
        noted, standing = self._file.read(), read_mark(text(self._redis.get(keys.EPOCH) or b""))
        if noted is None or standing is None or standing not in (noted.mark, noted.mark.next):
            return False
        if saved != noted.since and not (saved and standing.reaches(saved)):
            return False
        self._noted = noted._replace(mark=standing)
        return self.goes_on()

    def end(self) -> None:
        """Takes the mark away: from now on no submission is accepted.

        Raises:
            Displaced: If another publisher is at work.
        """
        self._change("", "")

    def begin(self, saved: Mark | None) -> None:
        """Sets a mark of a new era: the ledger is whole, and submissions are accepted.

        Args:
            saved: The newest mark in the store.

        Raises:
            Displaced: If another publisher is at work.
            StoreError: If the file cannot be written.
        """
        noted = Noted(Mark(secrets.token_hex(8), 0), saved)
        self._file.write(noted, durably=True)
        self._change("", str(noted.mark))
        self._noted = noted

    def _raise(self, *, durably: bool) -> Mark | None:
        """Raises the mark and returns it; None if it is not the one that was left here."""
        if self._noted is None:
            return None
        mark = self._noted.mark
        if not self._change(str(mark), str(mark.next)):
            return None
        self._noted = self._noted._replace(mark=mark.next)
        # Last: a publisher that dies here leaves a file that is one step behind, which is not taken for a loss.
        self._file.write(self._noted, durably=durably)
        return mark.next

    def _change(self, before: str, after: str) -> bool:
        """Changes the mark; says whether it was the one before."""
        asked = (self._hold.name, self._hold.milliseconds, before, after)
        answer = self._set(keys=[keys.PUBLISHER, keys.EPOCH], args=asked)
        if answer == -1:
            raise Displaced
        return bool(answer)
