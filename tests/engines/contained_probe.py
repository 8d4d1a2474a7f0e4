"""Stands where a worker would that is not root, and starts what an engine would be.

A filter of system calls may be put in place before that by the library that Docker uses, from a profile in its format.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

from evaluator.engines.launch import launch
from leaderboard.processes import keep_memory_private

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_OPERATIONS = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}


class Compared(ctypes.Structure):
    """What an argument of a call is compared with."""

    _fields_ = (
        ("index", ctypes.c_uint),
        ("operation", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def library() -> ctypes.CDLL:
    """Returns the library.

    Raises:
        OSError: If it is not installed.
    """
    found = ctypes.CDLL("libseccomp.so.2")
    found.seccomp_init.restype = ctypes.c_void_p
    return found


def enter(profile: dict[str, Any]) -> None:
    """Puts the filter of a profile over this process and all that it starts."""
    calls = library()
    assert profile["defaultAction"] == "SCMP_ACT_ALLOW"
    made = ctypes.c_void_p(calls.seccomp_init(ctypes.c_uint32(_ALLOW)))
    for rule in profile["syscalls"]:
        assert rule["action"] == "SCMP_ACT_ERRNO"
        compared = [_compared(argument) for argument in rule.get("args", ())]
        for name in rule["names"]:
            number = calls.seccomp_syscall_resolve_name(name.encode())
            if number == -1:  # Newer than the library: Docker leaves it out too.
                continue
            said = calls.seccomp_rule_add_array(
                made,
                ctypes.c_uint32(_ERRNO | rule["errnoRet"]),
                number,
                ctypes.c_uint(len(compared)),
                (Compared * len(compared))(*compared),
            )
            assert said == 0, (name, said)
    assert calls.seccomp_load(made) == 0


def _compared(argument: dict[str, Any]) -> Compared:
    """Reads one condition."""
    return Compared(argument["index"], _OPERATIONS[argument["op"]], argument["value"], argument.get("valueTwo", 0))


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    os.environ.update(asked.pop("environment", {}))
    if asked.pop("private", False):
        keep_memory_private()
    if profile := asked.pop("profile", None):
        enter(profile)
    asked["reads"] = [*asked.get("reads", ()), f"/proc/{os.getpid()}/environ", f"/proc/{os.getpid()}/mem"]
    launched = launch("tests.engines.confined_probe", map(Path, asked.get("folders", ())), sys.stderr.buffer)
    try:
        said, _ = launched.process.communicate(json.dumps(asked).encode())
        print(json.dumps(json.loads(said) | {"pid": os.getpid()}), flush=True)
    finally:
        launched.discard()


if __name__ == "__main__":
    main()
