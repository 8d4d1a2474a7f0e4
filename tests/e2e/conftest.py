"""Models for the whole path: the real demo model as judge, and tiny ones to submit."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from evaluator.demo_model import DEMO_MODEL, ensure_demo_model
from tests.safetensors_files import weights_file
from tests.tiny_model import make_tiny_model


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of local models: the demo model, two tiny ones, and one that lacks most of its weights."""
    folder = tmp_path_factory.mktemp("models")
    shared = Path(os.environ.get("RAPPORT_MODELS", "data/models"))
    shutil.copytree(ensure_demo_model(shared), folder / DEMO_MODEL, copy_function=os.link)
    make_tiny_model(folder / "tiny", context=32768)
    make_tiny_model(folder / "second", context=32768, seed=1)
    broken = make_tiny_model(folder / "broken")
    (broken / "model.safetensors").write_bytes(weights_file({"model.norm.weight": ("F32", (128,))}))
    return folder
