"""Keeps child processes from outliving what they were started for.

`python -m leaderboard.processes PARENT COMMAND...` becomes that command, tied to the life of the process PARENT.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


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
