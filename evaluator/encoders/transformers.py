"""Encodes with transformers: the mean of the last hidden states, in float32.

Never import this module in a process that must stay small: `process.py` runs it in one of its own.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator, Sequence

import numpy as np
import psutil
import torch
import transformers
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModel, AutoTokenizer

from evaluator.encoders.base import EncoderInfo, EncoderSpec, Vectors
from evaluator.engines.base import process_peak_rss_mb
from evaluator.errors import Cause, RapportError

_BATCH_TOKENS = 8192
"""Padded tokens that are computed together: enough to fill a card, few enough for a small machine."""
_UNUSED = "pooler."
"""Weights of a layer behind the last hidden states; many encoders ship without them."""
_NO_LIMIT = 10**9
"""A tokenizer that knows no limit says 10^30."""


class TransformersEncoder:
    """An encoder loaded by transformers."""

    def __init__(self, spec: EncoderSpec) -> None:
        """Loads the encoder and tries it on as long a text as it declares to take.

        Raises:
            RapportError: `load_error` if weights are missing, or it has no fast tokenizer, or declares no limit.
            Exception: Whatever transformers raises; the host process turns it into a `load_error`.
        """
        started = time.monotonic()
        self._name = spec.model
        self._tokenizer = AutoTokenizer.from_pretrained(spec.path, trust_remote_code=False)
        model, loading = AutoModel.from_pretrained(
            spec.path, dtype=torch.float32, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
        missing = sorted(name for name in loading["missing_keys"] if not name.startswith(_UNUSED))
        if missing:
            raise self._unfit(f"lacks weights, {missing[0]} among them")
        if not self._tokenizer.is_fast:
            raise self._unfit("has a tokenizer that cannot cut a long text into windows")
        self._model = model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        window = self._declared_window()
        self._room = window - self._tokenizer.num_special_tokens_to_add()
        (tried,) = self._embed([torch.tensor(self._windows("a " * self._room)[0])])
        self.info = EncoderInfo(
            encoder=f"{spec.model}@{spec.sha}",
            library=f"transformers {transformers.__version__}",
            hardware=self._hardware(),
            dimensions=len(tried),
            window_tokens=window,
            load_seconds=time.monotonic() - started,
        )

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        """See `Encoder.encode`."""
        cut = [self._windows(text) for text in texts]
        windows = [torch.tensor(window) for several in cut for window in several]
        vectors = np.empty((len(windows), self.info.dimensions), np.float32)
        for batch in _batches([len(window) for window in windows]):
            vectors[batch] = self._embed([windows[place] for place in batch])
        ends = np.cumsum([len(several) for several in cut], dtype=int)
        return np.split(vectors, ends)[:-1]

    def _windows(self, text: str) -> list[list[int]]:
        """Cuts a text into as few windows as possible, of nearly the same length, so that none is a mere rest."""
        count = len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        several = max(1, math.ceil(count / self._room))
        length = max(1, math.ceil(count / several)) + self._tokenizer.num_special_tokens_to_add()
        windows: list[list[int]] = self._tokenizer(
            text, truncation=True, max_length=length, return_overflowing_tokens=True, verbose=False
        )["input_ids"]
        return windows

    def _embed(self, windows: list[torch.Tensor]) -> Vectors:
        """Returns the mean over each window's last hidden states, shape (windows, dimensions).

        Raises:
            RapportError: `load_error` if the encoder computes something else than numbers.
        """
        ids = pad_sequence(windows, batch_first=True, padding_value=self._tokenizer.pad_token_id or 0)
        lengths = torch.tensor([len(window) for window in windows])
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).to(self._model.device)
        with torch.inference_mode():
            hidden = self._model(input_ids=ids.to(mask.device), attention_mask=mask.long()).last_hidden_state
            means = hidden.masked_fill(~mask[..., None], 0.0).sum(1) / mask.sum(1, keepdim=True)
        vectors: Vectors = means.cpu().numpy()
        if not np.isfinite(vectors).all():
            raise self._unfit("computes vectors that are no numbers")
        return vectors

    def _declared_window(self) -> int:
        """Returns how many tokens the encoder takes at once."""
        declared = (self._tokenizer.model_max_length, getattr(self._model.config, "max_position_embeddings", None))
        limits = [limit for limit in declared if isinstance(limit, int) and limit < _NO_LIMIT]
        if not limits or min(limits) <= self._tokenizer.num_special_tokens_to_add():
            raise self._unfit("does not declare how many tokens it takes")
        return min(limits)

    def _unfit(self, reason: str) -> RapportError:
        """Says that the encoder cannot be used."""
        return RapportError(Cause.LOAD_ERROR, f"The encoder {self._name} {reason}.", "Name another encoder.")

    def _hardware(self) -> str:
        """Names what the encoder runs on."""
        if self._model.device.type == "cuda":
            return str(torch.cuda.get_device_name(self._model.device))
        return f"{psutil.cpu_count()} CPU cores, {platform.machine()}"

    def peak_rss_mb(self) -> float:
        """See `Encoder.peak_rss_mb`."""
        return process_peak_rss_mb()


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yields the places of windows that are computed together: of similar length, so that little is padded."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
