"""Lines to and from a child process, each within a time limit.

A child that hangs must not hang whoever waits for it, be it with reading what it says or with writing what it no
longer reads.
"""

from __future__ import annotations

import os
import select
import subprocess
import time

_CHUNK = 2**16


class LineChannel:
    """The two pipes of a child that was started with unbuffered binary ones.

    Example:
        >>> with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
        ...     channel = LineChannel(child)
        ...     channel.send(b"hello", seconds=10)
        ...     print(channel.receive(seconds=10))
        ...     child.kill()
        b'hello'
    """

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        """Takes over both pipes; closing them stays with the child's owner."""
        assert child.stdin is not None
        assert child.stdout is not None
        self._to, self._from = child.stdin.fileno(), child.stdout.fileno()
        os.set_blocking(self._to, False)  # Else a write would wait until all of it fits the pipe.
        self._received = bytearray()

    def send(self, line: bytes, seconds: float) -> None:
        """Writes one line.

        Raises:
            TimeoutError: If the child has not taken all of it within `seconds`.
            BrokenPipeError: If the child is gone.
        """
        deadline, left = time.monotonic() + seconds, memoryview(line + b"\n")
        while left:
            _wait(self._to, select.POLLOUT, deadline)
            left = left[os.write(self._to, left) :]

    def receive(self, seconds: float) -> bytes | None:
        """Returns one line without its end; None if the child has closed its side, whatever it left unfinished.

        Raises:
            TimeoutError: If no whole line came within `seconds`.
        """
        deadline, looked_at = time.monotonic() + seconds, 0
        while (end := self._received.find(b"\n", looked_at)) < 0:
            looked_at = len(self._received)
            _wait(self._from, select.POLLIN, deadline)
            chunk = os.read(self._from, _CHUNK)
            if not chunk:
                return None
            self._received += chunk
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Sleeps until a pipe can be used, or its other side is gone.

    Raises:
        TimeoutError: At the deadline.
    """
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
