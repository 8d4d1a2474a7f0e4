"""What tests of labelling share."""

from __future__ import annotations

from tests.ledger.test_access_lists import urls

__all__ = ["urls"]
