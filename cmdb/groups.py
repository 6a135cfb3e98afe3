"""Named redundancy groups as components of a CI hold them (impact.md, "Requirements")."""

from __future__ import annotations

from typing import Final

from cmdb.model import Component

GROUP: Final = "group:"
"""What stands before the name of a group where a leg may be a CI or a group."""


def group_type(group: Component) -> str:
    """The type of the relations that are its legs."""
    said = group.attributes.get("type")
    return said if isinstance(said, str) else "depends_on"


def group_legs(group: Component) -> tuple[str, ...]:
    """The legs of a group as they are stored: ids of CIs, or `group:NAME`; each once."""
    said = group.attributes.get("legs", ())
    return tuple(dict.fromkeys(str(leg) for leg in said)) if isinstance(said, tuple) else (str(said),)
