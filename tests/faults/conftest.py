"""Stores of both kinds, and what a scan that nothing disturbs makes of the site."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from tests.faults.checks import Told
from tests.faults.dying import ended, scan, services_at
from tests.fixtures.stores import store_url

__all__ = ["store_url"]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The canonical graph and the number of revisions of a scan that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    url = f"sqlite:///{folder / 'store.db'}"
    assert ended(scan, url, folder) == os.EX_OK
    with closing(services_at(url, folder)) as services:
        return services.inventory.canonical(), services.store.position().revision
