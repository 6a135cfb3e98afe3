"""ENTITY-MIB (RFC 6933): entPhysicalTable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from discovery.facts import PowerSupply, Unit
from discovery.parsers.octets import Row, Rows, number, table, text
from discovery.transport.base import Oid

_CHASSIS, _POWER_SUPPLY, _STACK = 3, 6, 11  # PhysicalClass


def entities(rows: Rows) -> Iterator[Unit | PowerSupply]:
    """Yield each chassis that stands alone or in a stack, and the power supplies.

    A chassis inside another one (a module that calls itself so) is no unit.
    """
    entries = table(rows, "1.3.6.1.2.1.47.1.1.1.1", 2, 4, 5, 6, 7, 9, 10, 11, 13)
    ordered = sorted(entries.items())
    for index, row in ordered:
        match number(row.get(5), "entPhysicalClass"):
            case int(kind) if kind == _CHASSIS and not _inside_a_chassis(entries, row):
                yield _unit(index, row)
            case int(kind) if kind == _POWER_SUPPLY:
                name = _name(row) or f"power supply {index[-1]}"
                yield PowerSupply(name, text(row.get(13), "entPhysicalModelName"), _serial(row))
            case _:
                pass


def _unit(index: Oid, row: Row) -> Unit:
    position = number(row.get(6), "entPhysicalParentRelPos")
    return Unit(
        name=_name(row) or str(index[-1]),
        position=position if position is not None and position >= 0 else index[-1],
        model=text(row.get(13), "entPhysicalModelName"),
        serial=_serial(row),
        version=text(row.get(10), "entPhysicalSoftwareRev") or text(row.get(9), "entPhysicalFirmwareRev"),
    )


def _name(row: Row) -> str:
    return text(row.get(7), "entPhysicalName") or text(row.get(2), "entPhysicalDescr")


def _serial(row: Row) -> str:
    return text(row.get(11), "entPhysicalSerialNum")


def _inside_a_chassis(entries: Mapping[Oid, Row], row: Row) -> bool:
    """Follow entPhysicalContainedIn up; an agent that points in circles is cut off after as many steps as rows."""
    parent = number(row.get(4), "entPhysicalContainedIn")
    for _ in range(len(entries)):
        above = entries.get((parent,)) if parent else None
        if above is None:
            return False
        kind, parent = above.get(5), number(above.get(4), "entPhysicalContainedIn")
        if kind == _STACK:
            return False
        if kind == _CHASSIS:
            return True
    return False
