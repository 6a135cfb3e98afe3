"""What a person should mend: each goes by itself when it is mended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cmdb.model import CI, Completeness, State
from cmdb.nodes import Key, component_address
from cmdb.project_gaps import Collected
from cmdb.project_relations import Bond, Bonds
from cmdb.resolve import Conflict, Resolution, Unidentified
from cmdb.schema import SECTION_SHOWS, is_a

_LISTED: Final = 20
"""So many CIs stand in one problem."""

_MACHINES: Final = ("device", "partition", "virtual_machine")


class Problem(NamedTuple):
    """`about` are groups; `text` says it in words that hold no id."""

    kind: str
    about: tuple[int, ...]
    text: str


def problems(
    resolution: Resolution,
    cis: Mapping[int, CI],
    found: Bonds,
    unplaced: Iterable[tuple[int, str, str]],
    relations: Sequence[Bond],
    machines: Mapping[int, Collected],
) -> tuple[Problem, ...]:
    """All problems, sorted."""
    present = {group: ci for group, ci in cis.items() if ci.state is not State.RETIRED}
    every = [
        *(
            _conflict(conflict, resolution, cis)
            for conflict in resolution.conflicts
            if not _is_implied(conflict, resolution)
        ),
        *(_unidentified(row, resolution) for row in resolution.queue),
        *_namesakes(resolution, cis),
        *(Problem(kind, (group,), f"{cis[group].name}: {text}") for group, kind, text in unplaced if group in present),
        *_shared(present),
        *_unfit(found, cis),
        *_one_sided(relations, cis, machines),
        *_uncollected(present, machines),
    ]
    return tuple(sorted(set(every), key=lambda one: (one.kind, one.text, one.about)))


def _is_implied(conflict: Conflict, resolution: Resolution) -> bool:
    """Whether it is the member serial that a burnt serial is, too."""
    scheme, value, domain = conflict.value
    return scheme == "member_serial" and ("serial", value, domain) in resolution.burnt


def _conflict(conflict: Conflict, resolution: Resolution, cis: Mapping[int, CI]) -> Problem:
    scheme, value, _ = conflict.value
    about = sorted({
        resolution.group_of[key] for pair in conflict.witnesses for key in pair if key in resolution.group_of
    })  # fmt: skip
    names = ", ".join(cis[group].name for group in about if group in cis)
    return Problem(
        "conflict", tuple(about),
        f"the {scheme} {value} is on things that cannot be one ({names}): it joins nothing; say which are the same",
    )  # fmt: skip


def _unidentified(row: Unidentified, resolution: Resolution) -> Problem:
    by = sorted({resolution.group_of[key] for key in row.by if key in resolution.group_of})
    return Problem("unidentified", tuple(by), f"{_named(row.key)} is named, and no CI is known that it means")


def _named(key: Key) -> str:
    if key[0] == "subject":
        return " ".join(f"{one[0]} {one[1]}" for one in key[2:] if isinstance(one, tuple))
    _, _, cls, name, address, port = (str(part) for part in key)
    at = f"{address}:{port}" if port else address
    return " ".join(part for part in (cls.replace("_", " "), name, at) if part)


def _namesakes(resolution: Resolution, cis: Mapping[int, CI]) -> Iterator[Problem]:
    for row in resolution.namesakes:
        group = resolution.group_of[row.key]
        others = [other for other in row.others if other in cis]
        name = cis[group].name if group in cis else str(row.key[3])
        yield Problem(
            "declared_name", (group, *others),
            f"{row.key[2]} {name} is declared by its name alone, which does not tell which of {len(others)} scanned it "
            "is: declare an identifier of it",
        )  # fmt: skip


def _shared(cis: Mapping[int, CI]) -> Iterator[Problem]:
    """One label, name or address on several."""
    labels: dict[tuple[str, str], list[int]] = {}
    names: dict[tuple[str, str], list[int]] = {}
    addresses: dict[tuple[str, str], list[int]] = {}
    for group, ci in cis.items():
        if ci.label is not None:
            labels.setdefault((ci.space, ci.label), []).append(group)
        if any(is_a(ci.cls, row) for row in _MACHINES):
            names.setdefault((ci.space, ci.name.casefold()), []).append(group)
            for address in {found for part in ci.components if (found := component_address(part)) is not None}:
                addresses.setdefault((ci.space, address), []).append(group)
    kinds = (("label_twice", "label", labels), ("name_twice", "name", names), ("address_twice", "address", addresses))
    for kind, what, holders in kinds:
        for (_, text), groups in holders.items():
            if len(groups) > 1:
                yield Problem(kind, tuple(sorted(groups)[:_LISTED]), f"the {what} {text} is on {len(groups)} CIs")


def _unfit(found: Bonds, cis: Mapping[int, CI]) -> Iterator[Problem]:
    for claim in found.unfit:
        source, target = cis[claim.source], cis[claim.target]
        yield Problem(
            "relation_unfit",
            (claim.source, claim.target),
            f"{claim.type} cannot lead from {source.name} ({source.cls}) to {target.name} ({target.cls}), as "
            f"{claim.by.source} says",
        )


def _uncollected(cis: Mapping[int, CI], machines: Mapping[int, Collected]) -> Iterator[Problem]:
    """Sections that a machine denied, that failed, or that are in part: a log-in refused, a host key that changed."""
    for group, of in machines.items():
        if group in cis:
            for name, refusal in of.refused.items():
                yield _section(cis[group], group, name, refusal.completeness, refusal.problem)
            for name, reason in of.partial.items():
                yield _section(cis[group], group, name, Completeness.PARTIAL, reason)


def _section(ci: CI, group: int, name: str, completeness: Completeness, reason: str | None) -> Problem:
    because = f": {reason}" if reason else ""
    return Problem(f"section_{completeness}", (group,), f"{ci.name}: section {name} {completeness}{because}")


def _one_sided(
    relations: Iterable[Bond], cis: Mapping[int, CI], machines: Mapping[int, Collected]
) -> Iterator[Problem]:
    """Cables that one end tells of, and the other does not though its neighbours were collected in full."""
    showing = {name for name, shown in SECTION_SHOWS.items() if "connects_to" in shown and name.endswith(".lldp")}
    for bond in relations:
        if bond.columns.get("one_sided") is not True or bond.columns.get("medium") == "fc":
            continue
        ends = (bond.source, bond.target)
        if all(end in machines and machines[end].fresh & showing for end in ends):
            ports = [
                f"{cis[end].name} {bond.columns.get(port, '')}".strip()
                for end, port in zip(ends, ("from_port", "to_port"), strict=True)
            ]
            text = f"the cable between {' and '.join(sorted(ports))} is told by one end only"
            yield Problem("one_sided_cable", ends, text)
