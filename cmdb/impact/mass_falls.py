"""What each of a great many failures takes down, each alone, worked out side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cmdb.impact.falling import Falling
    from cmdb.impact.kinds import Bools, Ints
    from cmdb.impact.sure_falls import SureFalls

Keys = NDArray[np.int64]
"""A failure, by its place, and a CI or a requirement, in one number."""

_MOST: Final = 20_000
"""Whatever takes more down is worked out by itself."""


class Fallen(NamedTuple):
    """Who is down by which failure (its place), sorted by places; and which failures have to be worked out in full."""

    place: Ints
    node: Ints
    unfinished: Bools


class MassFalls:
    """In one state of a topology."""

    def __init__(self, falling: Falling, sure: SureFalls) -> None:
        self._topology = falling.topology
        self._net = falling.networks.ethernet
        self._wiring = falling.networks.fabric.wiring
        self._sure = sure
        self._nodes = np.int64(len(self._topology.key))
        self._requirements = np.int64(max(1, len(self._topology.owner)))

    def of(self, place: Ints, node: Ints, count: int, cable: Ints | None = None) -> Fallen:
        """`count` failures, which take these CIs down at first, by place; of those of fc cables their relations."""
        unfinished = np.zeros(count, np.bool_)
        keys = self._spread(_once(np.sort(place * self._nodes + node)), unfinished)
        place, node = (keys // self._nodes).astype(np.int32), (keys % self._nodes).astype(np.int32)
        unfinished[place[self._sure.doubtful[node]]] = True
        self._check_ethernet(keys, place, node, unfinished)
        self._check_fabrics(place, node, unfinished, cable)
        kept = ~unfinished[place]
        return Fallen(place[kept], node[kept], unfinished)

    def _spread(self, keys: Keys, unfinished: Bools) -> Keys:
        """All who fall, by edges and by requirements that lose more than they can spare."""
        sure, width = self._sure, self._nodes
        frontier, lost = keys, np.empty(0, np.int64)
        sizes = np.bincount(keys // width, minlength=len(unfinished))
        while frontier.size:
            place, node = frontier // width, (frontier % width).astype(np.int32)
            found = np.repeat(place, sure.edges.lengths(node)) * width + sure.edges.gather(node)
            more = np.repeat(place, sure.spared.lengths(node)) * self._requirements + sure.spared.gather(node)
            if more.size:
                more.sort()
                lost = _merged(lost, more)
                found = np.concatenate((found, self._broken(lost, _once(more))))
            found.sort()
            found = _once(found)
            frontier = found[~_among(found, keys)]
            keys = _merged(keys, frontier)
            sizes += np.bincount(frontier // width, minlength=len(unfinished))
            if (sizes > _MOST).any():
                unfinished[sizes > _MOST] = True
                sizes[unfinished] = 0
                keys = keys[~unfinished[keys // width]]
                frontier = frontier[~unfinished[frontier // width]]
                lost = lost[~unfinished[lost // self._requirements]]
        return keys

    def _broken(self, lost: Keys, stirred: Keys) -> Keys:
        """The owners of those of the requirements stirred that lost more than they can spare."""
        many = lost.searchsorted(stirred, "right") - lost.searchsorted(stirred, "left")
        requirement = stirred % self._requirements
        gone = many > self._sure.spare[requirement]
        owner = self._topology.owner[requirement[gone]].astype(np.int64)
        found: Keys = stirred[gone] // self._requirements * self._nodes + owner
        return found

    def _check_ethernet(self, keys: Keys, place: Ints, node: Ints, unfinished: Bools) -> None:
        """Whoever takes down two CIs that pass traffic, neither of which separates the other, may cut off more."""
        passing = self._net.place[node] >= 0
        place, node = place[passing], node[passing]
        above = self._sure.above[node]
        below = above >= 0
        below[below] = _among(place[below] * self._nodes + above[below], keys)
        tops = np.bincount(place[~below], minlength=len(unfinished))
        unfinished[tops > 1] = True

    def _check_fabrics(self, place: Ints, node: Ints, unfinished: Bools, cable: Ints | None) -> None:
        """Two fc switches, or too many of those that stand for one owner, may part more."""
        wiring, spares = self._wiring, self._sure.spares
        switches = np.bincount(place[wiring.switch[node]], minlength=len(unfinished))
        unfinished[switches > (1 if cable is None else 0)] = True
        lost_at, lost = place, node
        if cable is not None:
            # Who is at the end of the cable is as good as lost for whoever could take his place.
            ends = np.concatenate((self._topology.src[cable], self._topology.dst[cable]))
            turn = np.arange(len(cable), dtype=np.int32)
            places = np.concatenate((place, turn, turn))
            both = _once(np.sort(places * self._nodes + np.concatenate((node, ends))))
            lost_at, lost = (both // self._nodes).astype(np.int32), (both % self._nodes).astype(np.int32)
        at = spares.entries.gather(lost)
        if not len(at):
            return
        groups = np.int64(len(spares.size))
        keys = np.repeat(lost_at, spares.entries.lengths(lost)) * groups + spares.group_of[at]
        order = np.argsort(keys, kind="stable")
        keys, at = keys[order], at[order]
        first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        many = np.diff(first, append=len(keys))
        short = np.flatnonzero(many > np.minimum.reduceat(spares.others[at], first))
        if not short.size:
            return
        # Where all who stand on them are down, too, nobody is left who could be parted.
        leaning = spares.group[node] >= 0
        down = np.sort(place[leaning] * groups + spares.group[node[leaning]])
        wanted = keys[first[short]]
        gone = down.searchsorted(wanted, "right") - down.searchsorted(wanted, "left")
        short = short[gone < spares.size[wanted % groups]]
        for start, length in zip(first[short].tolist(), many[short].tolist(), strict=True):
            failure, group = divmod(int(keys[start]), int(groups))
            if not unfinished[failure] and not spares.can_do_without(group, at[start : start + length]):
                unfinished[failure] = True


def _once(keys: Keys) -> Keys:
    """Each of these once; they are sorted. Much quicker than `np.unique`, which hashes."""
    if keys.size < 2:
        return keys
    first = np.ones(keys.size, np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    return keys[first]


def _merged(one: Keys, other: Keys) -> Keys:
    """Both are sorted."""
    if not other.size:
        return one
    both = np.concatenate((one, other))
    both.sort(kind="stable")  # which is quick where long stretches are sorted already
    return both


def _among(keys: Keys, known: Keys) -> Bools:
    """Which of these are known; known ones are sorted."""
    if not known.size:
        return np.zeros(keys.size, np.bool_)
    found: Bools = known.take(known.searchsorted(keys), mode="clip") == keys
    return found
