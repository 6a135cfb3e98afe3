"""Single points of failure: every CI and cable whose loss alone takes a service down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cmdb.impact import tables
from cmdb.impact.answer import SinglePoint
from cmdb.impact.engine import Engine
from cmdb.impact.evaluation import Opened
from cmdb.impact.falling import Falling
from cmdb.impact.kinds import Ints
from cmdb.impact.levels import Change
from cmdb.impact.tables import GROUP, SERVICE

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology


class SinglePoints(NamedTuple):
    """Those of a revision, what takes most services down first; not `complete` where the time was up."""

    points: Sequence[SinglePoint]
    complete: bool
    revision: int


def single_points(opened: Opened, enough: Callable[[], bool]) -> SinglePoints:
    """All of now.

    Works on a copy, so that others may go on meanwhile.
    """
    with opened(None) as topology:
        copy = topology.copy()
    return SinglePoints(*points_of(Engine(copy), enough), copy.revision)


def points_of(engine: Engine, enough: Callable[[], bool]) -> tuple[Sequence[SinglePoint], bool]:
    """Those of one topology that nobody else uses, and whether that is all, or the time was up."""
    topology = engine.topology
    falling = Falling(engine, Change())
    found: list[SinglePoint] = []
    for one, is_cable in _candidates(topology):
        if enough():
            return _ordered(found), False
        lost = falling.with_cable(one) if is_cable else falling.with_ci(one)
        lost = lost[topology.cls[lost] != GROUP]
        services = lost[topology.cls[lost] == SERVICE]
        if not is_cable:
            services = services[services != one]
        if len(services):
            found.append(_point(topology, one, services, len(lost), is_cable=is_cable))
    return _ordered(found), True


def _candidates(topology: Topology) -> Iterable[tuple[int, bool]]:
    cis = np.flatnonzero(topology.live[: topology.nodes] & (topology.cls[: topology.nodes] != GROUP))
    yield from ((one, False) for one in cis.tolist())
    yield from ((one, True) for one in topology.of_type(tables.CABLE).tolist())


def _point(topology: Topology, one: int, services: Ints, lost: int, *, is_cable: bool) -> SinglePoint:
    named = sorted((topology.item(node) for node in services.tolist()), key=lambda item: (item.name, item.id))
    if is_cable:
        return SinglePoint(topology.relation_id(one), "connects_to", topology.title(one), named, lost)
    ci = topology.item(one)
    return SinglePoint(ci.id, ci.cls, ci.name, named, lost)


def _ordered(found: list[SinglePoint]) -> list[SinglePoint]:
    return sorted(found, key=lambda one: (-len(one.services), -one.takes_down, one.name, one.id))
