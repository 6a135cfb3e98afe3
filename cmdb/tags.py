"""Labels as tags: who has one, or had it last, and which are not free."""

from __future__ import annotations

from dataclasses import dataclass

from cmdb import lookup
from cmdb.model import State
from cmdb.store.base import GraphStore, Handle, StoredCI


@dataclass(frozen=True, slots=True)
class TagHolder:
    """Who has a label, or had it last; `formerly` are the labels that the holder had before."""

    tag: str
    former: bool
    stored: StoredCI
    formerly: tuple[str, ...]


def holder_of(store: GraphStore, text: str) -> TagHolder | None:
    """Who has a label now, else who had it last, else None."""
    tag = next((handle.value for handle in lookup.meanings(text) if handle.kind == "label"), None)
    if tag is None:
        return None
    holders = _holders(store, Handle("label", tag))
    present = [holder for holder in holders if holder.ci.state is not State.RETIRED]
    former = [*holders, *_holders(store, Handle("former_label", tag))]
    if not former:
        return None
    one = min(present, key=_oldest) if present else max(former, key=lambda holder: (holder.revision, _oldest(holder)))
    had = store.handles([one.ci.id]).get(one.ci.id, frozenset())
    return TagHolder(
        tag, not present, one, tuple(sorted(handle.value for handle in had if handle.kind == "former_label"))
    )


def _holders(store: GraphStore, handle: Handle) -> list[StoredCI]:
    return list(store.get([match.ci for match in store.lookup([handle])]).values())


def _oldest(holder: StoredCI) -> int:
    return int(holder.ci.id.rpartition("-")[2])
