"""One laboratory for all of its tests."""

from __future__ import annotations

from tests.fixtures.laboratory import lab, running_lab

__all__ = ["lab", "running_lab"]
