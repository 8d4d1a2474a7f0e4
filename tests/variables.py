"""Settings as environment variables."""

from __future__ import annotations

import json
from typing import Any


def as_variable(value: Any) -> str:
    """Writes a setting as its variable: text as it is, and all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
