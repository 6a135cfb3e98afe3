"""The feed: the journal as a sequence of events without gap or repeat, and cursors to go on after any of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from api import views
from api.problems import Problem
from cmdb.codec import time_out
from cmdb.model import Revision
from cmdb.store.base import Gone

_SPELT = re.compile(r"(0|[1-9][0-9]{0,17})(?:\.([1-9][0-9]{0,9}))?", re.ASCII)
_MOST_REVISIONS = 16
"""So many are read at once at most: each may be a whole site's first declaration."""


class Place(NamedTuple):
    """A place in the feed: after a revision, or, where `done` is not 0, after so many changes of it."""

    revision: int
    done: int = 0

    def __str__(self) -> str:
        return f"{self.revision}.{self.done}" if self.done else str(self.revision)

    @property
    def whole(self) -> int:
        """The last revision that was seen to its end."""
        return self.revision - 1 if self.done else self.revision


def place(text: str, where: str) -> Place:
    """A place as it was given out; `where` is what brings it. A problem of status 400 for anything else."""
    spelt = _SPELT.fullmatch(text)
    found = Place(int(spelt[1]), int(spelt[2] or 0)) if spelt else None
    if found is None or found.whole < 0:
        raise Problem(
            400, f"{where}: {text[:40]!r} is no place in the feed: send a revision, or the `next` or `id` of an answer"
        )
    return found


class Event(NamedTuple):
    """Changes that became true together: a revision, or a part of one with more changes than fit into a page."""

    at: Place
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order, and the place to ask after next."""

    events: tuple[Event, ...]
    next: Place


class Journal(Protocol):
    """`cmdb.inventory.Inventory`: what is read of it here."""

    def changes(self, after: int, limit: int = 1000) -> list[Revision]: ...

    def oldest(self) -> int: ...

    def point(self, text: str) -> int: ...


class Feed:
    """The events of a journal, whoever wrote it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._split: Revision | None = None

    def newest(self) -> int:
        """The newest revision."""
        return self._journal.point("now")

    def page(self, after: Place, limit: int) -> Page:
        """At most `limit` changes after a place. A revision is split only where it alone has more than that.

        Raises Gone where the place lies before what is kept; a problem of status 404 where it is not there yet, and
        of 400 where the revision has fewer changes than the place says.
        """
        events: list[Event] = []
        going_on, left = after, limit
        for revision in self._revisions(after, limit):
            done = going_on.done if going_on.revision == revision.n else 0
            if done and done >= len(revision.changes):
                raise Problem(400, f"after: revision {revision.n} has only {len(revision.changes)} changes")
            rest = len(revision.changes) - done
            if events and rest > left:
                break
            taken = min(rest, left)
            going_on = Place(revision.n, done + taken if taken < rest else 0)
            events.append(Event(going_on, _document(revision, done, taken, going_on)))
            left -= taken
            if going_on.done:
                self._split = revision
            if not left:
                break
        if not events:
            self._check(after)
        return Page(tuple(events), going_on)

    def _revisions(self, after: Place, limit: int) -> Iterator[Revision]:
        """The journal from a place on, a few revisions at a time, as large ones cannot be told from small before."""
        last, step, left = after.whole, 1, limit
        held = self._split
        if after.done and held is not None and held.n == after.revision and self._journal.oldest() <= last:
            # A large revision takes longer to read than a page of it to send.
            yield held
            last = held.n
        while left > 0:
            found = self._journal.changes(last, min(step, left))
            if not found:
                return
            for revision in found:
                if revision.n != last + 1:
                    if last < (oldest := self._journal.oldest()):
                        raise _gone(last, oldest)
                    return  # a server that reads row by row missed a commit; the next look has it, in its order
                yield revision
                last = revision.n
            left -= sum(len(revision.changes) for revision in found)
            step = min(step * 4, _MOST_REVISIONS)

    def _check(self, after: Place) -> None:
        """Nothing comes after the newest revision; anywhere else it means that the place is not there."""
        newest, oldest = self.newest(), self._journal.oldest()
        if after.whole < oldest:
            raise _gone(after.whole, oldest)
        if after.whole > newest or (after.done and after.revision > newest):
            raise Problem(
                404,
                f"after: revision {after.revision} is not there yet, the newest is {newest}; "
                "was the store replaced? Then read it whole, and go on after its newest revision",
                newest=newest,
            )


def _gone(after: int, oldest: int) -> Gone:
    """What is raised for a place before what is kept of history."""
    return Gone(f"after: what followed revision {after} is not kept any more", oldest)


def _document(revision: Revision, done: int, taken: int, at: Place) -> dict[str, Any]:
    return {
        "id": str(at),
        "revision": revision.n,
        "at": time_out(revision.at),
        "actor": revision.actor,
        "run": revision.run,
        "reason": revision.reason,
        "first": done,
        "of": len(revision.changes),
        "changes": [views.change(change) for change in revision.changes[done : done + taken]],
    }
