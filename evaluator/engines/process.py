"""An engine in a process of its own, behind the same Protocol as any other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evaluator.engines.base import Completion, EngineInfo, EngineSpec, Message, Request, Samplings, sampling_for
from evaluator.engines.child import LOAD_SECONDS, SILENT_SECONDS, ChildProcess, Crashed


class EngineProcess(ChildProcess[EngineInfo]):
    """A loaded engine in a child process.

    Example:
        >>> with EngineProcess(spec, Path("engine.log")) as engine:  # doctest: +SKIP
        ...     for completion in engine.generate(requests, Sampling(max_tokens=48)):
        ...         print(completion.text)
    """

    MODULE = "evaluator.engines.host"
    ROLE = "engine"
    DEATH = Crashed
    IF_SILENT = (
        "Check that the model's chat template comes to an end and that the model is not too large for the worker."
    )

    def __init__(
        self,
        spec: EngineSpec,
        log: Path,
        load_seconds: float = LOAD_SECONDS,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        """Starts the process and waits until the model is loaded; its output goes to the file `log`.

        Raises:
            RapportError: As of `ChildProcess`, `no_chat_template` among it.
        """
        paths = {"model_path": spec.model_path, **({"adapter_path": spec.adapter_path} if spec.adapter_path else {})}
        absolute = {name: str(Path(path).absolute()) for name, path in paths.items()}
        spec = spec.model_copy(update=absolute)
        super().__init__(spec, EngineInfo, map(Path, absolute.values()), log, load_seconds, silent_seconds)

    def generate(
        self, requests: Sequence[Request], samplings: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        """See `Engine.generate`.

        Raises:
            RapportError: `timeout` too, if the engine is silent for longer than it may be; it has been ended then.
        """
        by_group = {request.group: sampling_for(samplings, request) for request in (*requests, *seen)}
        self._send(
            {
                "generate": {
                    "requests": _lines(requests),
                    "samplings": {group: sampling.model_dump(mode="json") for group, sampling in by_group.items()},
                    "seen": _lines(seen),
                }
            }
        )
        while "completion" in (answer := self._receive()):
            yield Completion.model_validate(answer["completion"])

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        """See `Engine.count_tokens`."""
        self._send({"count_tokens": [[list(part) for part in messages] for messages in conversations]})
        tokens: list[int] = self._receive()["tokens"]
        return tokens


def _lines(requests: Sequence[Request]) -> list[list[Any]]:
    """Writes requests as JSON holds them; `host.py` reads them."""
    return [[item.key, item.group, [list(part) for part in item.messages]] for item in requests]
