"""What a person should mend: each goes by itself when it is mended. Pure.

A problem has homes: what it is a problem of. It is looked at again whenever one of them is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest
from typing import Final, NamedTuple, Protocol, TypeAlias

from cmdb import codec
from cmdb.model import CI, Completeness, State
from cmdb.nodes import UNKNOWN, Key
from cmdb.project_gaps import Collected
from cmdb.project_relations import Bond, Bonds
from cmdb.resolution import Resolution, Unidentified
from cmdb.schema import SECTION_SHOWS
from cmdb.settled import Conflict
from cmdb.surroundings import Surroundings, shared_by

_LISTED: Final = 20
"""So many CIs stand in one problem."""

Home: TypeAlias = tuple[str, ...] | int
"""A value, a node, something shared, or (as a number) a CI."""


class Problem(NamedTuple):
    """`about` are groups; `text` says it in words that hold no id."""

    kind: str
    about: tuple[int, ...]
    text: str
    homes: tuple[Home, ...] = ()


class Scene(Protocol):
    """What problems are looked for in: a part, what was projected of it, and what is beside it."""

    @property
    def resolution(self) -> Resolution: ...

    @property
    def beside(self) -> Surroundings: ...

    @property
    def targets(self) -> Sequence[int]: ...

    @property
    def cis(self) -> Mapping[int, CI]: ...

    def machine(self, group: int) -> Collected | None:
        """What was collected of a CI that answered."""

    def back(self, group: int, ci: CI) -> datetime | None:
        """When a retired CI answered that nobody took back."""


def problems(
    scene: Scene,
    cis: Mapping[int, CI],
    found: Bonds,
    unplaced: Iterable[tuple[int, str, str]],
    relations: Sequence[Bond],
) -> tuple[Problem, ...]:
    """All problems of a part, sorted; `cis` are those of the part, and the other ends of its relations."""
    resolution = scene.resolution
    targets = set(scene.targets)
    present = {group: ci for group, ci in scene.cis.items() if ci.state is not State.RETIRED and group in targets}
    every = [
        *(
            _conflict(conflict, resolution, scene)
            for conflict in (*resolution.conflicts, *resolution.part.left)
            if not _is_implied(conflict, resolution)
        ),
        *(_unidentified(row, resolution) for row in resolution.queue),
        *_namesakes(scene),
        *(
            Problem(kind, (group,), f"{present[group].name}: {text}", (group,))
            for group, kind, text in unplaced
            if group in present
        ),
        *_shared(scene, present),
        *_unfit(found, cis),
        *_one_sided(relations, cis, scene),
        *_uncollected(present, scene),
        *_returned(scene, targets),
        *_without_family(present, scene),
    ]
    return tuple(sorted(set(every), key=lambda one: (one.kind, one.text, one.about)))


def value_home(value: tuple[str, str, str]) -> tuple[str, ...]:
    """The home of what is wrong with an identifier."""
    return ("value", *value)


def node_home(key: Key) -> tuple[str, ...]:
    """The home of what is wrong with a node."""
    return ("node", codec.digest(repr(key))[:32])


def _is_implied(conflict: Conflict, resolution: Resolution) -> bool:
    """Whether it is the member serial that a burnt serial is, too."""
    scheme, value, domain = conflict.value
    serial = ("serial", value, domain)
    return scheme == "member_serial" and (serial in resolution.burnt or serial in resolution.settled.burnt)


def _conflict(conflict: Conflict, resolution: Resolution, scene: Scene) -> Problem:
    scheme, value, _ = conflict.value
    numbers = {resolution.number(key) for pair in conflict.witnesses for key in pair}
    about = sorted(group for group in numbers if group is not None)
    names = ", ".join(_name(scene, group) for group in about)
    return Problem(
        "conflict", tuple(about),
        f"the {scheme} {value} is on things that cannot be one ({names}): it joins nothing; say which are the same",
        (value_home(conflict.value),),
    )  # fmt: skip


def _name(scene: Scene, group: int) -> str:
    ci = scene.cis.get(group)
    if ci is None and group < 0:
        ci = scene.beside.cis.get(scene.resolution.id_of(group))
    return "?" if ci is None else ci.name


def _unidentified(row: Unidentified, resolution: Resolution) -> Problem:
    numbers = {resolution.number(key) for key in row.by}
    by = sorted(group for group in numbers if group is not None)
    text = f"{_named(row.key)} is named, and no CI is known that it means"
    return Problem("unidentified", tuple(by), text, (node_home(row.key),))


def _named(key: Key) -> str:
    if key[0] == "subject":
        return " ".join(f"{one[0]} {one[1]}" for one in key[2:] if isinstance(one, tuple))
    _, _, cls, name, address, port = (str(part) for part in key)
    at = f"{address}:{port}" if port else address
    return " ".join(part for part in (cls.replace("_", " "), name, at) if part)


def _namesakes(scene: Scene) -> Iterator[Problem]:
    resolution = scene.resolution
    for row in resolution.namesakes:
        group = resolution.group_of[row.key]
        name = scene.cis[group].name if group in scene.cis else str(row.key[3])
        yield Problem(
            "declared_name", (group, *row.others[:_LISTED]),
            f"{row.key[2]} {name} is declared by its name alone, which does not tell which of {len(row.others)} "
            "scanned it is: declare an identifier of it",
            (node_home(row.key),),
        )  # fmt: skip


def _shared(scene: Scene, present: Mapping[int, CI]) -> Iterator[Problem]:
    """One label, name or address on several."""
    resolution = scene.resolution
    holders: dict[tuple[str, str, str], set[int]] = {}
    for group, ci in present.items():
        for shared in shared_by(ci):
            holders.setdefault(shared, set()).add(group)
    aside = {id_ for key in resolution.part.keys if (id_ := resolution.settled.ci_of.get(key)) is not None}
    aside |= {resolution.id_of(group) for group in scene.targets if group < 0}
    before = {shared for id_ in aside if id_ in scene.beside.cis for shared in shared_by(scene.beside.cis[id_])}
    for shared in before | holders.keys():
        kind, space, text = shared
        others = scene.beside.sharing.get(shared, set()) - aside
        groups = [*holders.get(shared, ()), *(resolution.number_of(id_) for id_ in nsmallest(_LISTED, others))]
        if len(groups) > 1:
            count = len(others) + len(holders.get(shared, ()))
            what = kind.removesuffix("_twice")
            yield Problem(
                kind, tuple(sorted(groups)[:_LISTED]), f"the {what} {text} is on {count} CIs", ((kind, space, text),)
            )


def _unfit(found: Bonds, cis: Mapping[int, CI]) -> Iterator[Problem]:
    for claim in found.unfit:
        source, target = cis[claim.source], cis[claim.target]
        yield Problem(
            "relation_unfit",
            (claim.source, claim.target),
            f"{claim.type} cannot lead from {source.name} ({source.cls}) to {target.name} ({target.cls}), as "
            f"{claim.by.source} says",
            (claim.source, claim.target),
        )


def _uncollected(present: Mapping[int, CI], scene: Scene) -> Iterator[Problem]:
    """Sections that a machine denied, that failed, or that are in part: a log-in refused, a host key that changed."""
    for group, ci in present.items():
        of = scene.machine(group)
        if of is not None:
            for name, refusal in of.refused.items():
                yield _section(ci, group, name, refusal.completeness, refusal.problem)
            for name, reason in of.partial.items():
                yield _section(ci, group, name, Completeness.PARTIAL, reason)


def _without_family(present: Mapping[int, CI], scene: Scene) -> Iterator[Problem]:
    """What answers, and no family knows its class."""
    for group, ci in present.items():
        if ci.cls == UNKNOWN and scene.machine(group) is not None:
            oid = ci.attributes.get("sys_object_id")
            of = f" (sysObjectID {oid})" if oid else ""
            text = f"{ci.name}: it answers, and no family tells its class{of}: write one, or declare its class"
            yield Problem("no_family", (group,), text, (group,))


def _section(ci: CI, group: int, name: str, completeness: Completeness, reason: str | None) -> Problem:
    because = f": {reason}" if reason else ""
    text = f"{ci.name}: section {name} {completeness}{because}"
    return Problem(f"section_{completeness}", (group,), text, (group,))


def _returned(scene: Scene, targets: Iterable[int]) -> Iterator[Problem]:
    """Retired CIs that answer: their state is for a person to change."""
    for group in targets:
        ci = scene.cis.get(group)
        if ci is not None and ci.state is State.RETIRED and (time := scene.back(group, ci)) is not None:
            since = "" if ci.missing_since is None else f" (it was missing since {ci.missing_since:%Y-%m-%d})"
            yield Problem(
                "retired_answers", (group,),
                f"{ci.name} is retired{since}, and answers again since {time:%Y-%m-%d}: say that it is back, or find "
                "out what answers in its place",
                (group,),
            )  # fmt: skip


def _one_sided(relations: Iterable[Bond], cis: Mapping[int, CI], scene: Scene) -> Iterator[Problem]:
    """Cables that one end tells of, and the other does not though its neighbours were collected in full."""
    showing = {name for name, shown in SECTION_SHOWS.items() if "connects_to" in shown and name.endswith(".lldp")}
    for bond in relations:
        if bond.columns.get("one_sided") is not True or bond.columns.get("medium") == "fc":
            continue
        ends = (bond.source, bond.target)
        machines = [scene.machine(end) for end in ends]
        if all(of is not None and of.fresh & showing for of in machines):
            ports = [
                f"{cis[end].name} {bond.columns.get(port, '')}".strip()
                for end, port in zip(ends, ("from_port", "to_port"), strict=True)
            ]
            text = f"the cable between {' and '.join(sorted(ports))} is told by one end only"
            yield Problem("one_sided_cable", ends, text, ends)
