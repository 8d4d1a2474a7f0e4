"""Tokenizers of models, without their weights: what a dry run counts with."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Self

from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
from evaluator.models import PinnedModel, outline
from leaderboard.settings import Settings


class Tokenizers:
    """Loads each tokenizer when it is first asked for, and once.

    Example:
        >>> with Tokenizers(Settings()) as tokenizers:  # doctest: +SKIP
        ...     tokenizers.of(model) is tokenizers.of(model)
        True
    """

    def __init__(self, settings: Settings) -> None:
        """Has loaded none yet."""
        self._settings = settings
        self._loaded: dict[Path, TokenizerProcess] = {}
        self._exits = contextlib.ExitStack()

    def of(self, model: PinnedModel) -> TokenizerProcess:
        """Returns a model's tokenizer, downloading it first if needed.

        Raises:
            RapportError: What fetching or loading it ended with.
        """
        folder = outline(model, self._settings.models).folder.resolve()
        if folder not in self._loaded:
            scratch = self._exits.enter_context(tempfile.TemporaryDirectory(prefix="rapport-"))
            process = TokenizerProcess(TokenizerSpec(model_path=str(folder)), Path(scratch) / "tokenizer.log")
            self._loaded[folder] = self._exits.enter_context(process)
        return self._loaded[folder]

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Ends their processes."""
        self._exits.close()
