"""Stores of both kinds; and one Neo4j server that only the tests of faults stop, freeze and start."""

from __future__ import annotations

from tests.fixtures.stores import store_url

__all__ = ["store_url"]
