"""The revisions that this process committed last, so that who follows the journal need not read them back."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cmdb.model import Revision

CHANGES: Final = 10_000
"""How many changes are kept at most: those of some reports, not of a first declaration."""

NONE_KEPT: Final[Mapping[str, Revision]] = MappingProxyType({})


class Recent:
    """Revisions by their hash: that it is the one in the journal proves that so are they."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: Mapping[str, Revision] = NONE_KEPT

    def keep(self, revision: Revision | None) -> None:
        """Remember a revision that is committed; the oldest are forgotten."""
        if revision is None:
            return
        with self._guard:
            kept = {**self._kept, revision.hash: revision}
            while sum(len(one.changes) for one in kept.values()) > CHANGES:
                del kept[next(iter(kept))]
            self._kept = kept

    def kept(self) -> Mapping[str, Revision]:
        """Those of now, whatever is committed meanwhile."""
        return self._kept
