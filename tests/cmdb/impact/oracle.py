"""impact.md a second time, by brute force: each CI and cable is taken out in turn. It shares no code with the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain

from cmdb.model import CI, Component, Graph, Relation

Node = tuple[str, ...]
"""(ci,) or (ci, group)."""

DOWN_WHEN_CUT = {
    "server", "midrange_server", "network_switch", "router", "firewall", "load_balancer", "wireless", "printer",
}  # fmt: skip
UNMANAGED_WHEN_CUT = {"power_unit", "storage", "tape_library", "fc_switch", "management_controller"}
FORWARD = {"network_switch", "router", "firewall", "load_balancer", "wireless"}
ALL = {"runs_on", "hosted_on", "part_of", "depends_on", "stored_on", "located_in"}
AXIS = dict.fromkeys((*ALL, "served_by", "composed_of", "powered_by"), "a") | {"backed_up_by": "p", "managed_by": "m"}
PASSED_ON = {"depends_on", "runs_on", "stored_on", "part_of"}


class Need:
    def __init__(self, axis: str, type_: str, legs: dict[Node, list[Relation]], k: int, m: int) -> None:
        self.axis, self.type, self.legs, self.k, self.m = axis, type_, legs, k, m
        self.active: set[Node] = set()
        self.beside: dict[Node, list[Relation]] = {}


class World:
    def __init__(self, graph: Graph) -> None:
        self.cis = dict(graph.cis)
        self.relations = list(graph.relations.values())
        self.gateways = {i for i, ci in self.cis.items() if ci.attributes.get("gateway") is True}
        self.cables = [r for r in self.relations if r.type == "connects_to" and r.columns.get("medium") != "fc"]
        self.fc = [r for r in self.relations if r.type == "connects_to" and r.columns.get("medium") == "fc"]
        self.needs: dict[Node, list[Need]] = {}
        for ci in self.cis.values():
            self._read(ci)

    def _read(self, ci: CI) -> None:
        out = [r for r in self.relations if r.source == ci.id and r.type in AXIS]
        groups = {c.name: c for c in ci.components if c.kind == "group"}
        inner = {x[6:] for c in groups.values() for x in named_in(c, "legs") if x.startswith("group:")}
        own: list[Need] = []
        used: set[tuple[str, str]] = set()
        for name, component in groups.items():
            type_ = str(component.attributes.get("type", "depends_on"))
            legs: dict[Node, list[Relation]] = {}
            for leg in named_in(component, "legs"):
                if leg.startswith("group:"):
                    legs[ci.id, leg[6:]] = []
                else:
                    legs[(leg,)] = [r for r in out if r.type == type_ and r.target == leg]
                    used.add((type_, leg))
            k = number(component, "needs", 0)
            need = Need(AXIS[type_], type_, legs, k, number(component, "full", k))
            active = component.attributes.get("active")
            need.active = {n for n, rs in legs.items() if any(r.columns.get("active") for r in rs)}
            need.active |= {n for n in legs if active == (n[0] if len(n) == 1 else f"group:{n[1]}")}
            if name in inner:
                self.needs[ci.id, name] = [need]
            else:
                own.append(need)
        free: dict[tuple[str, str], list[Relation]] = defaultdict(list)
        for r in out:
            if (r.type, r.target) not in used:
                free[r.type, str(r.columns.get("role", "")) if r.type == "served_by" else ""].append(r)
        for (type_, _), relations in free.items():
            own.extend(self._default(ci, type_, relations))
        self.needs[(ci.id,)] = own

    def _default(self, ci: CI, type_: str, relations: list[Relation]) -> Iterator[Need]:
        legs: dict[Node, list[Relation]] = defaultdict(list)
        for r in relations:
            legs[(r.target,)].append(r)
        beside: dict[Node, list[Relation]] = {}
        if type_ == "hosted_on" and ci.cls == "virtual_machine":
            clusters = {n: rs for n, rs in legs.items() if self.cis[n[0]].cls == "cluster"}
            if clusters:
                beside = {
                    n: rs for n, rs in legs.items() if n not in clusters and any(r.columns.get("active") for r in rs)
                }
                legs = clusters
        n = len(legs)
        k = n if type_ in ALL else 1
        if type_ == "composed_of" and ci.cls == "cluster":
            hosting = any(
                r.type == "hosted_on" and r.target == ci.id and self.cis[r.source].cls == "virtual_machine"
                for r in self.relations
            )
            quorum = ci.attributes.get("quorum")
            k = int(quorum) if isinstance(quorum, int) else 1 if n <= 2 or hosting else n // 2 + 1
        need = Need(AXIS[type_], type_, dict(legs), k, k)
        need.active = {x for x, rs in legs.items() if any(r.columns.get("active") for r in rs)}
        need.beside = beside
        yield need

    # networks

    def management(self, r: Relation) -> list[str]:
        return [e for e, c in ((r.source, "from_management"), (r.target, "to_management")) if r.columns.get(c) is True]

    def conn(self, down: set[str], out: set[str]) -> set[str]:
        got = {g for g in self.gateways if g not in down}
        while True:
            more = set()
            for r in self.cables:
                if r.id in out or self.management(r):
                    continue
                for u, w in ((r.source, r.target), (r.target, r.source)):
                    if u in got and (u in self.gateways or self.cis[u].cls in FORWARD) and w not in down:
                        more.add(w)
            if more <= got:
                return got
            got |= more

    def managed(self, down: set[str], out: set[str]) -> set[str]:
        got = self.conn(down, out)
        last = set()
        for r in self.cables:
            if r.id not in out:
                for v in self.management(r):
                    u = r.target if v == r.source else r.source
                    if u in got and (u in self.gateways or self.cis[u].cls in FORWARD) and v not in down:
                        last.add(v)
        return got | last

    def closure(self, v: str, types: set[str]) -> set[str]:
        got = {v}
        while more := {r.target for r in self.relations if r.source in got and r.type in types} - got:
            got |= more
        return got

    def ends(self, v: str, t: str) -> tuple[set[str], set[str]]:
        return self.closure(v, {"runs_on", "hosted_on", "served_by", "composed_of"}), self.closure(t, {"part_of"})

    def path(self, v: str, t: str, down: set[str], out: set[str]) -> bool:
        starts, goals = self.ends(v, t)
        got = starts - down
        while True:
            more = set()
            for r in self.fc:
                for u, w in ((r.source, r.target), (r.target, r.source)):
                    through = u in starts or self.cis[u].cls == "fc_switch"
                    ends_well = w in goals or self.cis[w].cls == "fc_switch"
                    if r.id not in out and u in got and through and w not in down and ends_well:
                        more.add(w)
            if more <= got:
                return bool(got & (goals - down))
            got |= more


def medium(r: Relation) -> object:
    return r.columns.get("medium", "ethernet" if r.type == "depends_on" else None)


def named_in(component: Component, key: str) -> tuple[str, ...]:
    said = component.attributes.get(key, ())
    return tuple(str(one) for one in said) if isinstance(said, tuple) else (str(said),)


def number(component: Component, key: str, default: int) -> int:
    said = component.attributes.get(key)
    return said if isinstance(said, int) else default


def grow(start: set[Node], nodes: list[Node], rule: Callable[[Node, set[Node]], bool]) -> set[Node]:
    got = set(start)
    while more := {v for v in nodes if v not in got and rule(v, got)}:
        got |= more
    return got


class Now:
    def __init__(self, world: World, down: set[str], risk: set[str], out: set[str]) -> None:
        self.w, self.out, self.nodes = world, out, list(world.needs)
        self.conn0, self.man0 = world.conn(set(), set()), world.managed(set(), set())
        self.D: set[Node] = set()
        self.D = grow({(x,) for x in down}, self.nodes, self._is_down)
        self.Z = grow(self.D, self.nodes, self._is_degraded)
        self.singles = {v for v in self.conn0 if world.cis[v].cls in DOWN_WHEN_CUT and self._single(v)}
        self.R = grow(self.Z | {(x,) for x in risk}, self.nodes, self._is_at_risk)
        self.U = grow(set(), self.nodes, self._is_unprotected)
        self.M = {v for v in self.nodes if self._is_unmanaged(v)}

    @staticmethod
    def ids(found: set[Node]) -> set[str]:
        return {v[0] for v in found if len(v) == 1}

    def fails(self, v: Node, need: Need, t: Node, relations: list[Relation], gone: set[Node]) -> bool:
        if t in gone:
            return True
        down = self.ids(gone)
        if need.axis == "m" and len(t) == 1 and t[0] in self.man0 - self.w.managed(down, self.out):
            return True
        return bool(relations) and all(self._relation_fails(v[0], r, down) for r in relations)

    def _relation_fails(self, v: str, r: Relation, down: set[str]) -> bool:
        if r.id in self.out:
            return True
        if medium(r) == "ethernet":
            cut = self.conn0 - self.w.conn(down, self.out)
            has = any(r.target in (c.source, c.target) for c in self.w.cables)
            return r.target in cut if has else bool(cut & self.w.closure(r.target, {"part_of"}))
        if medium(r) == "fc":
            return self.w.path(v, r.target, set(), set()) and not self.w.path(v, r.target, down, self.out)
        return False

    def holding(self, v: Node, need: Need, gone: set[Node], bad: set[Node]) -> int:
        return sum(t not in bad and not self.fails(v, need, t, rs, gone) for t, rs in need.legs.items())

    def _is_down(self, v: Node, got: set[Node]) -> bool:
        if any(n.axis == "a" and self.holding(v, n, got, set()) < n.k for n in self.w.needs[v]):
            return True
        return (
            len(v) == 1
            and self.w.cis[v[0]].cls in DOWN_WHEN_CUT
            and v[0] in self.conn0 - self.w.conn(self.ids(got), self.out)
        )

    def _is_degraded(self, v: Node, got: set[Node]) -> bool:
        for n in self.w.needs[v]:
            if n.axis != "a":
                continue
            if self.holding(v, n, self.D, set()) < n.m or self.holding(v, n, self.D, got) < n.k:
                return True
            for t, rs in chain(((t, n.legs[t]) for t in n.active), n.beside.items()):
                if t in got or self.fails(v, n, t, rs, self.D):
                    return True
        return False

    def _single(self, v: str) -> bool:
        down = self.ids(self.D)
        if v not in self.w.conn(down, self.out):
            return False
        for x in self.w.cis:
            if x != v and x not in down:
                now, before = v not in self.w.conn({*down, x}, self.out), v not in self.w.conn({x}, set())
                if now and not before:
                    return True
        for c in self.w.cables:
            now, before = v not in self.w.conn(down, {*self.out, c.id}), v not in self.w.conn(set(), {c.id})
            if now and not before:
                return True
        return False

    def _is_at_risk(self, v: Node, got: set[Node]) -> bool:
        for n in self.w.needs[v]:
            if n.axis != "a":
                continue
            left = self.holding(v, n, self.D, set())
            if (left == n.k and left < len(n.legs)) or self.holding(v, n, self.D, got) < n.k:
                return True
            if any(
                rs and all(medium(r) == "fc" for r in rs) and self._thin(v[0], t[0], got)
                for t, rs in n.legs.items()
                if not self.fails(v, n, t, rs, self.D)
            ):
                return True
        if len(v) == 2 or self.w.cis[v[0]].cls not in DOWN_WHEN_CUT or v[0] not in self.conn0:
            return False
        return v[0] in self.singles or v[0] not in self.w.conn(self.ids(got) - {v[0]}, self.out)

    def _thin(self, v: str, t: str, got: set[Node]) -> bool:
        path, down = self.w.path, self.ids(self.D)
        if not path(v, t, set(), set()):
            return False
        ends = set.union(*self.w.ends(v, t))
        for x in set(self.w.cis) - ends - down:
            if not path(v, t, {*down, x}, self.out) and path(v, t, {x}, set()):
                return True
        for c in self.w.fc:
            if not path(v, t, down, {*self.out, c.id}) and path(v, t, set(), {c.id}):
                return True
        return not path(v, t, down | (self.ids(got) - ends), self.out)

    def _is_unprotected(self, v: Node, got: set[Node]) -> bool:
        own = [n for n in self.w.needs[v] if n.axis == "p"]
        if own:
            return any(self.holding(v, n, self.D, got) < n.k for n in own)
        return any(n.type in PASSED_ON and sum(t not in got for t in n.legs) < n.k for n in self.w.needs[v])

    def _is_unmanaged(self, v: Node) -> bool:
        if any(n.axis == "m" and self.holding(v, n, self.D, set()) < n.k for n in self.w.needs[v]):
            return True
        return (
            len(v) == 1
            and self.w.cis[v[0]].cls in UNMANAGED_WHEN_CUT
            and v[0] in self.man0 - self.w.managed(self.ids(self.D), self.out)
        )

    def of(self, id_: str) -> tuple[str, str, str]:
        v = (id_,)
        available = "down" if v in self.D else "degraded" if v in self.Z else "at_risk" if v in self.R else "up"
        return available, "unprotected" if v in self.U else "kept", "unmanaged" if v in self.M else "kept"
