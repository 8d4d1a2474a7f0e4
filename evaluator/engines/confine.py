"""Makes of this process one that can do less, then runs another module in it: `python -m evaluator.engines.confine`.

On Linux, and as far as the kernel allows it: no network but that with itself, no sight of the home of whoever started
it and of what the site keeps, a model and programs that it can only read, another user, and no way back. A worker that
is root gets all of it; another one all but the other user, where it may make user namespaces. What cannot be had is
told, with the reason, and the module runs without.

Only the standard library is imported here, and nothing of a model is read before the module has taken over.
"""

from __future__ import annotations

import ctypes
import fcntl
import glob
import json
import os
import pwd
import resource
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from evaluator.engines.calls import refuse_calls
from evaluator.errors import Cause

NO_NETWORK = "no network"
NO_HOME = "no home"
OWN_USER = "own user"
NO_WAY_BACK = "no new privileges"
TOLD = "RAPPORT_CONFINED"
"""The environment variable in which the module finds what was done, see `Confinement`."""
HOME = "rapport-engine-"
"""What the name of the folder begins with that a process is given for a home, and that goes when it does."""

_NEW_FILES, _NEW_USER, _NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_PROGRAMS, _AGAIN = 1, 2, 4, 8, 32
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 1 << 18
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41
_NO_NEW_PRIVILEGES = 38
_CARDS = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia[0-9]*", "/dev/kfd")


class Plan(NamedTuple):
    """What is run, and what it needs.

    Attributes:
        module: What runs in the end, as `python -m` names it.
        home: An empty folder of its own, the only one that it must be able to write to.
        reads: Folders of the model that it reads.
        code: Files and folders of programs that it reads.
        hidden: Folders and files that it has no business with, such as the home of its owner and sockets.
        user: The user id that it takes on, if it is started by root; 0 is to stay root.
    """

    module: str
    home: str
    reads: tuple[str, ...]
    code: tuple[str, ...]
    hidden: tuple[str, ...]
    user: int


class Confinement(NamedTuple):
    """What a process was confined to.

    Attributes:
        done: Some of `no network`, `no home`, `own user` and `no new privileges`.
        hindered: What was tried in vain, each with the reason.
    """

    done: tuple[str, ...]
    hindered: tuple[tuple[str, str], ...]


def confinement() -> Confinement:
    """Returns what this process was confined to: nothing, where nobody told."""
    told = json.loads(os.environ.get(TOLD, "[[], []]"))
    return Confinement(tuple(told[0]), tuple((name, reason) for name, reason in told[1]))


def confine(plan: Plan) -> Confinement:
    """Confines this process for good. It must have one thread only."""
    done, hindered = [], []
    for name, step in _steps(plan):
        # A step may fail half way: it is tried in a process that nobody needs.
        if reason := _hindrance(step):
            hindered.append((name, reason))
            continue
        step()
        done.append(name)
    named = (NO_NETWORK, NO_HOME, OWN_USER, NO_WAY_BACK)
    return Confinement(tuple(name for name in named if name in done), tuple(hindered))


def _steps(plan: Plan) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yields what is to be done here, in order."""
    if sys.platform != "linux":
        return
    root = os.geteuid() == 0
    user = _User(plan.user, _group(plan.user), _card_groups()) if root and plan.user else None
    if not root:
        yield "user namespace", _enter_user_namespace
    yield NO_NETWORK, _leave_network
    yield NO_HOME, lambda: _leave_files(plan, user)
    if user is not None:
        yield OWN_USER, lambda: _become(user, plan)
    yield NO_WAY_BACK, lambda: _check(_library().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    yield "fewer calls", refuse_calls


class _User(NamedTuple):
    """Whom a process turns into."""

    id: int
    group: int
    cards: tuple[int, ...]
    """Groups that may use the machine's cards."""

    def may_enter(self, folder: str) -> bool:
        """Tells whether the folder's mode lets this user in."""
        state = os.stat(folder)
        if state.st_uid == self.id:
            return bool(state.st_mode & stat.S_IXUSR)
        if state.st_gid in (self.group, *self.cards):
            return bool(state.st_mode & stat.S_IXGRP)
        return bool(state.st_mode & stat.S_IXOTH)


def _group(user: int) -> int:
    """Returns the group of a user; a user without an entry has one of the same number."""
    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return user


def _card_groups() -> tuple[int, ...]:
    """Returns the groups that the machine's cards are open to, but that of root."""
    states = [os.stat(path) for pattern in _CARDS for path in glob.glob(pattern)]
    return tuple(sorted({state.st_gid for state in states if state.st_mode & 0o060 == 0o060} - {0}))


def _hindrance(step: Callable[[], None]) -> str:
    """Tries a step in a process that ends right after it; returns what was in its way, nothing if it worked."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = "it failed"
        try:
            step()
            said = ""
        except OSError as error:
            said = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
        finally:
            os.write(writing, said.encode()[:4096])
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        said = told.read().decode()
    _, status = os.waitpid(child, 0)
    return said or ("" if status == 0 else f"it ended with status {status}")


def _enter_user_namespace() -> None:
    """Becomes the same user in a name space where it may make others."""
    user, group = os.geteuid(), os.getegid()
    _check(_library().unshare(_NEW_USER))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _leave_network() -> None:
    """Leaves all networks; what talks to itself over 127.0.0.1 still can."""
    _check(_library().unshare(_NEW_NETWORK))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))


def _leave_files(plan: Plan, user: _User | None) -> None:
    """Puts empty folders over those that are hidden, and back into them only what is needed, most of it to be read.

    Folders that the new user may not enter are hidden too: what is needed in them can be reached then. Whoever stays
    the same user could change its model and its programs wherever they are: they are laid over themselves.
    """
    shut = [folder for folder in plan.reads if user and os.path.isdir(folder) and not user.may_enter(folder)]
    reads = [*({*plan.reads} - {*shut}), *(entry.path for folder in shut for entry in os.scandir(folder))]
    needed = [*_both_names((plan.home, *reads, *plan.code)), *_both_names(_behind_links(plan.reads))]
    ways = [folder for path in needed for folder in _ways_to(path)]
    closed = [folder for folder in (*shut, *ways) if user and not user.may_enter(folder)]
    hidden = _topmost(os.path.realpath(path) for path in (*plan.hidden, *closed) if os.path.exists(path))
    _check(_library().unshare(_NEW_FILES))
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    kept = [path for path in _topmost(needed) if user is None or any(_is_below(path, top) for top in hidden)]
    sources = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in kept]
    for top in hidden:
        if os.path.isdir(top):
            _mount("tmpfs", top, "tmpfs", _NO_SUID | _NO_DEVICES, "mode=0755,size=1m")
        else:
            _mount("/dev/null", top, None, _BIND)
    for folder in shut:
        os.makedirs(folder, exist_ok=True)  # Even where nothing is in it.
    for path, source in sources:
        _put_back(path, source, to_write=_is_below(os.path.realpath(plan.home), os.path.realpath(path)))


def _put_back(path: str, source: int, *, to_write: bool) -> None:
    """Shows what an open file stands for at its path again, to be read alone unless it is to be written too."""
    if stat.S_ISDIR(os.fstat(source).st_mode):
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).touch()
    _mount(f"/proc/self/fd/{source}", path, None, _BIND | _RECURSIVE)
    os.close(source)
    if not to_write:
        # What a mount above us forbids has to be forbidden again, or the kernel refuses.
        forbidden = os.statvfs(path).f_flag & (_NO_SUID | _NO_DEVICES | _NO_PROGRAMS)
        _mount("none", path, None, _AGAIN | _BIND | _READ_ONLY | forbidden)


def _become(user: _User, plan: Plan) -> None:
    """Turns into another user, unless its programs, the cards or the way to its model were out of its reach."""
    model = _both_names((*plan.reads, *_behind_links(plan.reads)))
    os.setgroups(user.cards)
    os.setresgid(user.group, user.group, user.group)
    os.setresuid(user.id, user.id, user.id)
    cards = (path for pattern in _CARDS for path in glob.glob(pattern))
    refused = (
        *(path for path in plan.code if not os.access(path, os.R_OK)),
        *(path for path in model if not os.path.exists(path)),
        *(path for path in cards if not os.access(path, os.R_OK | os.W_OK)),
    )
    if refused:
        raise PermissionError(1, f"user {user.id} may not use {refused[0]}")


def _both_names(paths: Iterable[str]) -> set[str]:
    """Returns the paths of what exists, as they are written and as they are without symbolic links."""
    there = [path for path in paths if os.path.exists(path)]
    return {name for path in there for name in (os.path.abspath(path), os.path.realpath(path))}


def _behind_links(folders: Iterable[str]) -> set[str]:
    """Returns the folders of the files that stand in some folders as symbolic links, as in the cache of the Hub."""
    files = (entry for folder in folders if os.path.isdir(folder) for entry in os.scandir(folder))
    return {os.path.dirname(os.path.realpath(entry.path)) for entry in files if entry.is_symlink()}


def _ways_to(path: str) -> list[str]:
    """Returns the folders above a path, but the root."""
    return [str(parent) for parent in Path(path).parents if str(parent) != "/"]


def _is_below(path: str, folder: str) -> bool:
    """Tells whether a path is a folder or lies below it."""
    return os.path.commonpath([path, folder]) == folder


def _topmost(paths: Iterable[str]) -> list[str]:
    """Returns those of some paths that lie below none of the others; the root is none of them."""
    found: list[str] = []
    for path in sorted(set(paths) - {"/"}):
        if not any(_is_below(path, top) for top in found):
            found.append(path)
    return found


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Calls mount(2)."""
    words = [None if word is None else word.encode() for word in (source, target, kind, options)]
    _check(_library().mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), target)


def _library() -> ctypes.CDLL:
    """Returns the C library, for what Python has no function."""
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, path: str | None = None) -> None:
    """Raises what the last call of the C library failed with."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)


def _unreadable(folders: Iterable[str]) -> Iterator[str]:
    """Yields what this process may not read of some folders; what is not there is told by whoever wants it."""
    for folder in filter(os.path.exists, folders):
        if not os.access(folder, os.R_OK | os.X_OK):
            yield folder
            continue
        for entry in os.scandir(folder):
            wanted = os.R_OK | (os.X_OK if entry.is_dir() else 0)
            if os.path.exists(entry.path) and not os.access(entry.path, wanted):
                yield entry.path


def main(arguments: list[str]) -> NoReturn:
    """Confines this process and turns it into `plan.module`; `arguments` holds the plan as JSON.

    Without arguments it prints what it was confined to. A model that cannot be read is told on standard output, as
    `hosting.py` does.
    """
    if not arguments:
        print(os.environ[TOLD])
        sys.exit()
    module, home, reads, code, hidden, user = json.loads(arguments[0])
    plan = Plan(module, home, tuple(reads), tuple(code), tuple(hidden), user)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # A core would hold what people wrote.
    confined = confine(plan)
    if path := next(_unreadable(plan.reads), None):
        error = {
            "cause": Cause.INFRASTRUCTURE,
            "message": f"{Path(path).name} in the model's folder cannot be read by user {os.geteuid()}, "
            "as whom models are run.",
            "remedy": "Make the folder readable for all (chmod -R a+rX), or set RAPPORT_ENGINE_UID to the id of a user "
            "who may read it; 0 runs models as root.",
        }
        print(json.dumps({"error": error}), flush=True)
        sys.exit(1)
    os.makedirs(os.environ["TMPDIR"], exist_ok=True)
    os.chdir(plan.home)
    os.environ[TOLD] = json.dumps(confined)
    os.execv(sys.executable, [sys.executable, "-P", "-m", plan.module])


if __name__ == "__main__":
    main(sys.argv[1:])
