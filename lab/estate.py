"""The description → estate.yaml: what people declare because no scan can know it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from lab.description import Declared, Group, Link, Room, Site

_HEAD = """\
# What no scan of the laboratory can know. Rendered from lab/site by `python -m lab.written`; a test compares.
"""


def dump(document: dict[str, list[dict[str, Any]]]) -> str:
    """One list for each key, one line for each of its entries."""
    lines: list[str] = []
    for key, rows in document.items():
        lines.append(f"{key}:")
        lines += [f"  - {_flow(row)}" for row in rows]
    return "\n".join(lines) + "\n"


def _flow(row: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(row, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return text.strip()


def estate(site: Site) -> str:
    """The text of estate.yaml."""
    return _HEAD + dump({
        "cis": [_ci(declared) for declared in site.declared],
        "groups": [_group(group) for group in site.groups],
        "relations": [*_links(site.links), *_cables(site)],
    }) + _rooms(site.rooms)  # fmt: skip


def _ci(declared: Declared) -> dict[str, Any]:
    row: dict[str, Any] = {"class": declared.cls, "name": declared.name}
    if declared.label is not None:
        row["label"] = declared.label
    for key, value in declared.attributes.items():
        row[key] = list(value) if isinstance(value, tuple) else value
    return row


def _rooms(rooms: Iterable[Room]) -> str:
    """Plans are drawn: a row of the grid on a line of its own."""
    text = "rooms:\n"
    for room in rooms:
        rows = "".join(f"      {row}\n" for row in room.grid)
        text += f"  - label: {room.label}\n    door: {room.door}\n    grid: |-\n{rows}"
    return text


def _group(group: Group) -> dict[str, Any]:
    row: dict[str, Any] = {"of": group.of, "name": group.name}
    if group.type is not None:
        row["type"] = group.type
    row["needs"] = group.needs
    if group.full is not None:
        row["full"] = group.full
    if group.active is not None:
        row["active"] = group.active
    row["legs"] = [{"group": leg[6:]} if leg.startswith("group:") else leg for leg in group.legs]
    return row


def _links(links: Iterable[Link]) -> list[dict[str, Any]]:
    return [{"type": link.type, "from": link.source, "to": link.target, **link.keys} for link in links]


def _cables(site: Site) -> list[dict[str, Any]]:
    return [
        {"type": "connects_to", "from": cable.a, "to": cable.b, "from_port": cable.a_port, "to_port": cable.b_port}
        for cable in site.cables
        if cable.seen == "declared"
    ]
