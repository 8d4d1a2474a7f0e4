"""Keeps child processes from outliving what they were started for, and from reading what is none of their business.

`python -m leaderboard.processes PARENT COMMAND...` becomes that command, tied to the life of the process PARENT.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


def keep_memory_private() -> None:
    """Keeps the memory and the environment of this process from others of the same user, on Linux.

    An engine that nothing else could be taken from is the same user as its worker: it could read the worker's
    secrets in `/proc`, or trace it. Forked children inherit this; a program that is started anew does not. Only a
    process that is root, or may trace all others, is not kept out.

    Raises:
        OSError: If Linux refuses, which it never does.
    """
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_DUMPABLE")


def die_with_parent(parent: int, sig: signal.Signals = signal.SIGKILL) -> None:
    """Asks Linux to send this process a signal as soon as the process `parent` is gone, however that happens.

    Elsewhere than on Linux this does nothing; there an orphan ends at its next refused write.
    """
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except AttributeError:
        return
    prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if os.getppid() != parent:  # It was gone before the request: nobody would send the signal.
        os.kill(os.getpid(), sig)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
