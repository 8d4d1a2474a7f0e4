"""Brings in the local Hub."""

from tests.hub_server.fixtures import client, hub

__all__ = ["client", "hub"]
