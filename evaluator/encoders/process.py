"""An encoder in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluator.encoders.base import EncoderInfo, EncoderSpec, Vectors, unpack
from evaluator.engines.child import LOAD_SECONDS, SILENT_SECONDS, ChildProcess
from evaluator.models import PinnedModel, fetch


class EncoderProcess(ChildProcess[EncoderInfo]):
    """A loaded encoder in a child process.

    Example:
        >>> with EncoderProcess(spec, Path("encoder.log")) as encoder:  # doctest: +SKIP
        ...     encoder.encode(["Where is ramen served?"])[0].shape
        (1, 768)
    """

    MODULE = "evaluator.encoders.host"
    ROLE = "encoder"
    IF_SILENT = "Check that the encoder is not too large for the worker."

    def __init__(
        self,
        spec: EncoderSpec,
        log: Path,
        load_seconds: float = LOAD_SECONDS,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        """Starts the process and waits until the encoder is loaded; its output goes to the file `log`.

        Raises:
            RapportError: As of `ChildProcess`.
        """
        folder = Path(spec.path).absolute()
        spec = spec.model_copy(update={"path": str(folder)})
        super().__init__(spec, EncoderInfo, [folder], log, load_seconds, silent_seconds)

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        """See `Encoder.encode`."""
        self._send({"encode": list(texts)})
        return unpack(self._receive()["vectors"])


def load_encoder(pinned: PinnedModel, models: Path, log: Path) -> EncoderProcess:
    """Loads an encoder at its pinned state, downloading what is missing.

    Args:
        pinned: From `evaluator.models.pin_encoder`.
        models: The one folder from which local models are loaded.
        log: The file that takes the output of its process.

    Raises:
        RapportError: What fetching (`not_found`, `gated`, `disk_full`, `infrastructure`) or loading it ended with.
    """
    path = fetch(pinned, models).resolve()
    return EncoderProcess(EncoderSpec(model=pinned.model, sha=pinned.sha, path=str(path)), log)
