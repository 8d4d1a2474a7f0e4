"""Starts the process that holds a model: confined, without a secret, with a home of its own that goes when it does."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import unquote, urlsplit

from evaluator.engines.confine import HOME, Confinement, Plan
from evaluator.errors import Cause, RapportError
from evaluator.redaction import holders_of

USER_VARIABLE = "RAPPORT_ENGINE_UID"
"""Names another user id for processes that hold models, where the worker is root; 0 lets them be root too."""
DATA_VARIABLE, DATA = "RAPPORT_DATA", "data"
"""Names the folder of results, logs and the ledger, and that folder where it does not."""
NOBODY = 65534
"""The user id that Linux keeps for those who own nothing."""

_LAUNCHER = "evaluator.engines.confine"
_KEPT = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH")
_KEPT_FAMILIES = ("CUDA_", "NVIDIA_", "NCCL_", "VLLM_", "TORCH_", "OMP_", "MKL_", "KMP_", "LC_")
_SECRETS = ("TOKEN", "SECRET", "PASSW", "CREDENTIAL", "KEY", "URL")
_KEPT_IN = ("HF_HOME", "HF_TOKEN_PATH", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
"""Name folders and files of the owner's own."""
_CODE = Path(__file__).resolve().parents[1]


class Launched(NamedTuple):
    """A process that was started.

    Attributes:
        process: It leads a process group of its own; its standard input and output are pipes.
        home: Its folder; see `discard`.
    """

    process: subprocess.Popen[bytes]
    home: Path

    def discard(self) -> None:
        """Removes the folder of a process that has ended; safe to call twice."""
        shutil.rmtree(self.home, ignore_errors=True)


def launch(module: str, reads: Iterable[Path], errors: IO[bytes]) -> Launched:
    """Starts a module of ours in a process that can do as little as possible.

    Args:
        module: What it runs, as `python -m` names it.
        reads: Folders that it has to read.
        errors: Takes what it writes to standard error.

    Raises:
        RapportError: `infrastructure` if `RAPPORT_ENGINE_UID` is no id of a user.
    """
    user = _user()
    home, lock = _own_home(user)
    plan = Plan(module, str(home), tuple(map(str, reads)), tuple(_code()), tuple(_hidden()), user)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _LAUNCHER, json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(home),
            bufsize=0,
            start_new_session=True,
            pass_fds=(lock,),
        )
    except BaseException:
        shutil.rmtree(home)
        raise
    finally:
        os.close(lock)
    return Launched(process, home)


def environment(home: Path) -> dict[str, str]:
    """Returns the environment of a process whose home is `home`: what libraries need by name, so no secret gets in.

    All caches are in its home, the Hub is offline, nothing reports its use, and what talks to itself does so over
    127.0.0.1 alone.
    """
    holders = holders_of(os.environ)
    kept = {
        name: value
        for name, value in os.environ.items()
        if (name in _KEPT or name.startswith(_KEPT_FAMILIES))
        and not (name in holders or any(word in name.upper() for word in _SECRETS))
    }
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_CODE.parent), kept.get("PYTHONPATH", "")))),
        "HOME": str(home),
        "USER": "engine",
        "LOGNAME": "engine",
        "TMPDIR": str(home / "tmp"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "HF_HOME": str(home / "cache" / "huggingface"),
        "VLLM_CACHE_ROOT": str(home / "cache" / "vllm"),
        "VLLM_CONFIG_ROOT": str(home / "config" / "vllm"),
        "TORCH_HOME": str(home / "cache" / "torch"),
        "CUDA_CACHE_PATH": str(home / "cache" / "cuda"),
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_HOST_IP": "127.0.0.1",
        "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
    }


def confinement_here() -> Confinement:
    """Finds out what processes that hold models are confined to on this machine; takes less than a second.

    Example:
        >>> set(confinement_here().done) <= {"no network", "no home", "own user", "no new privileges"}
        True
    """
    launched = launch(_LAUNCHER, (), sys.stderr.buffer)
    try:
        told, _ = launched.process.communicate(timeout=60)
    finally:
        launched.process.kill()
        launched.discard()
    done, hindered = json.loads(told)
    return Confinement(tuple(done), tuple((name, reason) for name, reason in hindered))


def _own_home(user: int) -> tuple[Path, int]:
    """Makes a folder for one process; returns it with the lock that says that it is in use, an open file.

    Folders whose processes were killed together with their owners are removed first: nobody holds their locks.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{HOME}*"):
        with contextlib.suppress(OSError):  # It is gone, in use, or somebody else's.
            _remove_if_unused(left)
    made = Path(tempfile.mkdtemp(prefix="rapport-new-")).resolve()
    home = made.with_name(made.name.replace("rapport-new-", HOME))
    lock = os.open(made, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    made.rename(home)
    if os.geteuid() == 0:
        os.chown(home, user, -1)
    return home, lock


def _remove_if_unused(home: Path) -> None:
    """Removes a folder whose lock nobody holds.

    Raises:
        OSError: If somebody does, or it cannot be removed.
    """
    lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(home)
    finally:
        os.close(lock)


def _user() -> int:
    """Returns the user id that processes take on.

    Raises:
        RapportError: `infrastructure` if the environment names none.
    """
    named = os.environ.get(USER_VARIABLE) or str(NOBODY)
    if not (named.isascii() and named.isdigit() and int(named) < 2**32 - 1):
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"{USER_VARIABLE} is {named!r}, which is not the id of a user.",
            "Set it to a number such as 65534, or leave it out.",
        )
    return int(named)


def _code() -> Iterable[str]:
    """Yields the files and folders of the interpreter, of libraries and of ours."""
    ours = str(_CODE.parent)
    yield from {str(_CODE), sys.prefix, sys.base_prefix, os.path.realpath(sys.executable)}
    yield from (path for path in sys.path if path and os.path.exists(path) and os.path.realpath(path) != ours)
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "CUDA_HOME", "PYTHONPATH"):
        listed = os.environ.get(name, "").replace(" ", os.pathsep).split(os.pathsep)
        yield from (path for path in listed if os.path.isabs(path) and os.path.exists(path))


def _hidden() -> Iterable[str]:
    """Yields what is nobody's business: the home of the owner, its token, what the site keeps, and its sockets."""
    yield os.path.expanduser("~")
    yield os.path.abspath(os.environ.get(DATA_VARIABLE) or DATA)
    yield from (os.path.abspath(path) for name in _KEPT_IN if (path := os.environ.get(name)))
    addresses = (urlsplit(value) for value in os.environ.values() if value.startswith("unix://"))
    yield from (unquote(address.path) for address in addresses if address.path)
    with contextlib.suppress(KeyError):
        yield pwd.getpwuid(os.geteuid()).pw_dir
