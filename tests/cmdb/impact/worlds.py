"""Random small estates, dense enough that everything meets everything."""

from __future__ import annotations

from random import Random

from cmdb.impact import KINDS, Question
from cmdb.model import Graph, Value
from cmdb.schema import RELATION_TYPES, fits
from tests.cmdb.impact.site import Site

CLASSES = (
    "service", "application", "database_instance", "virtual_address", "cluster", "operating_system", "server", "server",
    "midrange_server", "partition", "virtual_machine", "network_switch", "network_switch", "router", "fc_switch",
    "fc_switch", "storage", "pool", "volume", "volume", "tape_library", "backup_software", "power_unit", "power_unit",
    "management_controller", "room", "building", "printer",
)  # fmt: skip
FABRIC = ("server", "fc_switch", "fc_switch", "storage", "volume", "fc_switch", "pool", "virtual_machine", "cluster")
NETWORK = ("router", "network_switch", "network_switch", "server", "application", "network_switch", "storage")
TYPES = tuple(name for name, row in RELATION_TYPES.items() if row.needs is not None or name == "connects_to")


def world(random: Random) -> Graph:
    """An estate of up to a dozen CIs with relations, cables, groups, gateways and management ports."""
    site = Site()
    some = random.choice((random.sample(CLASSES, random.randint(3, 6)), FABRIC, NETWORK))
    for number in range(random.randint(3, 12)):
        cls = some[number % len(some)] if some in (FABRIC, NETWORK) else random.choice(some)
        attributes: dict[str, Value] = {}
        if cls in {"router", "network_switch", "server"} and random.random() < 0.3:
            attributes["gateway"] = True
        if cls == "cluster" and random.random() < 0.3:
            attributes["quorum"] = 1
        site.add(cls, f"{cls}{number}", **attributes)
    names = list(site.cis)
    for number in range(random.randint(3, 40)):
        source, target = random.choice(names), random.choice(names)
        types = [name for name in TYPES if source != target and fits(name, site.cis[source].cls, site.cis[target].cls)]
        if types:
            type_ = "connects_to" if "connects_to" in types and random.random() < 0.6 else random.choice(types)
            site.relate(f"r{number}", type_, source, target, **_columns(random, type_, site, source, target))
    for name in names:
        if random.random() < 0.4:
            _groups(random, site, name)
    return site.graph


def _columns(random: Random, type_: str, site: Site, source: str, target: str) -> dict[str, Value]:
    columns: dict[str, Value] = {}
    if type_ == "connects_to":
        columns |= {"from_port": f"p{len(site.relations)}", "to_port": f"q{len(site.relations)}"}
        fc = {"fc_switch", "storage"} & {site.cis[source].cls, site.cis[target].cls}
        if fc and random.random() < 0.8:
            columns["medium"] = "fc"
        elif random.random() < 0.2:
            columns[random.choice(("from_management", "to_management"))] = True
    if type_ == "stored_on" and random.random() < 0.9:
        columns["medium"] = random.choice(("fc", "fc", "ethernet"))
    if type_ in {"depends_on", "composed_of", "hosted_on"} and random.random() < 0.25:
        columns["active"] = True
    if type_ == "served_by":
        columns["role"] = random.choice(("network", "disk"))
    return columns


def _groups(random: Random, site: Site, name: str) -> None:
    relations = [relation for relation in site.relations.values() if relation.source == name]
    types = sorted({relation.type for relation in relations if relation.type != "connects_to"})
    if not types:
        return
    type_ = random.choice(types)
    targets = sorted({relation.target for relation in relations if relation.type == type_})
    legs = random.sample(targets, random.randint(1, len(targets)))
    rest = [target for target in targets if target not in legs]
    _group(random, site, name, "inner", type_, tuple(legs))
    if rest or random.random() < 0.3:
        _group(random, site, name, "outer", type_, ("group:inner", *rest))


def _group(random: Random, site: Site, name: str, group: str, type_: str, legs: tuple[str, ...]) -> None:
    needs = random.randint(1, len(legs))
    attributes: dict[str, Value] = {"type": type_}
    if random.random() < 0.4:
        attributes["full"] = random.randint(needs, len(legs))
    if random.random() < 0.3:
        attributes["active"] = random.choice(legs)
    site.group(name, group, needs, legs, **attributes)


def question(random: Random, graph: Graph) -> Question:
    """A question that fits the graph."""
    kind = random.choice((*KINDS, "power_off", "power_off"))
    places = {id_ for id_, ci in graph.cis.items() if ci.cls in {"room", "building"}}
    cis = [id_ for id_ in graph.cis if id_ not in places or kind in {"power_off", "remove"}]
    relations = [] if kind == "reboot" else list(graph.relations)
    targets = random.sample(cis, min(len(cis), random.choice((0, 1, 1, 2))))
    changed = random.sample(relations, min(len(relations), random.choice((0, 1, 2))))
    if not targets and not changed:
        return Question((next(iter(graph.cis)),), (), "power_off")
    down = tuple(random.sample(list(graph.cis), random.choice((0, 0, 1, 2))))
    return Question(tuple(targets), tuple(changed), kind, down, restarts=random.random() < 0.5)
