"""Calls to the kernel that nothing which holds a model has any use for, refused to this process and all that it starts.

Whoever may make a user namespace is root within it, and reaches parts of the kernel that were written for root alone.
Once a process has made those that confine it, it needs no more.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from typing import NamedTuple

_SET_FILTER, _BY_FILTER = 22, 2
_LOAD, _IS, _AT_LEAST, _HAS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_CALL, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
"""Where the kernel tells a filter what it is asked."""
_OTHER_TABLE = 0x40000000
"""From here on calls of x86-64 are those of another table."""
_NAME_SPACES = 0x7E020000
"""Flags of `clone` by which name spaces are made."""


class Machine(NamedTuple):
    """A kind of machine, as the kernel knows it.

    Attributes:
        id: What the kernel calls it.
        column: Where its numbers stand in `REFUSED`.
        clone: The number of the call that starts processes, which stays unless it makes name spaces.
    """

    id: int
    column: int
    clone: int


MACHINES = {"x86_64": Machine(0xC000003E, 0, 56), "aarch64": Machine(0xC00000B7, 1, 220)}
REFUSED = {
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "request_key": (249, 218),
    "setns": (308, 268),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
"""The numbers of calls, on x86-64 and on 64-bit ARM."""
_CLONE3 = 435
"""Its flags lie where no filter can look; told that there is none, callers use `clone`."""


def refuse_calls() -> None:
    """Refuses the calls for good; the process must have given up new privileges before, and have one thread only.

    Raises:
        OSError: If the kernel has no such filters, or the kind of machine is not known here.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise OSError(errno.ENOSYS, f"the calls of {platform.machine()} are not known")
    program = b"".join(_filter(machine))
    held = ctypes.create_string_buffer(program, len(program))
    told = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(held)))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_SET_FILTER, _BY_FILTER, told, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _filter(machine: Machine) -> Iterator[bytes]:
    """Yields the steps of the filter: each loads a word, compares it and skips some steps, or answers."""
    yield _step(_LOAD, _MACHINE)
    yield _step(_IS, machine.id, then=1)
    yield _step(_RETURN, _FAIL | errno.EPERM)
    yield _step(_LOAD, _CALL)
    yield _step(_AT_LEAST, _OTHER_TABLE, otherwise=1)
    yield _step(_RETURN, _FAIL | errno.EPERM)
    for numbers in REFUSED.values():
        yield _step(_IS, numbers[machine.column], otherwise=1)
        yield _step(_RETURN, _FAIL | errno.EPERM)
    yield _step(_IS, _CLONE3, otherwise=1)
    yield _step(_RETURN, _FAIL | errno.ENOSYS)
    yield _step(_IS, machine.clone, otherwise=3)
    yield _step(_LOAD, _FIRST_ARGUMENT)
    yield _step(_HAS, _NAME_SPACES, otherwise=1)
    yield _step(_RETURN, _FAIL | errno.EPERM)
    yield _step(_RETURN, _ALLOW)


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """Writes a step as the kernel reads it."""
    return struct.pack("HBBI", code, then, otherwise, value)
