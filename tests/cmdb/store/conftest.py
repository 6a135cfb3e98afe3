"""Every test of the contract runs on both stores."""

from __future__ import annotations

from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]
