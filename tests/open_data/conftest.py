"""A Hub of one's own, for the tests that load from one."""

from tests.hub_server.fixtures import hub

__all__ = ["hub"]
