"""Whether what the server stands on answers in time, however it may hang."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cmdb.store.base import StoreError
from operations.errors import OperationsError

LIMIT_S = 2.0
"""A store that needs longer does not answer, as far as who watches the server is concerned."""


@dataclass(slots=True)
class _Asked:
    """One asking of the stores, shared by all who want to know meanwhile."""

    ended: threading.Event = field(default_factory=threading.Event)
    answered: bool = False


class Readiness:
    """Asks the stores on a thread of its own, one at a time: a store that hangs holds that one and no request."""

    def __init__(self, ask: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        self._ask = ask
        self._limit_s = limit_s
        self._guard = threading.Lock()
        self._underway: _Asked | None = None

    def is_ready(self) -> bool:
        """Whether the stores answered, within the limit."""
        with self._guard:
            if self._underway is None:
                self._underway = _Asked()
                threading.Thread(target=self._find_out, args=(self._underway,), name="readiness", daemon=True).start()
            asked = self._underway
        return asked.ended.wait(self._limit_s) and asked.answered

    def _find_out(self, asked: _Asked) -> None:
        try:
            self._ask()
            asked.answered = True
        except (StoreError, OperationsError):
            pass
        finally:
            with self._guard:
                self._underway = None
            asked.ended.set()
