"""ENTITY-MIB entPhysicalTable (RFC 6933): chassis, members of a stack, and their power supplies."""

from __future__ import annotations

from lab import mib
from lab.description import Device, Unit
from lab.mib import Row, Value

CHASSIS, POWER_SUPPLY, STACK = 3, 6, 11
_VENDOR_TYPES = {"cisco_ios_xe": "1.3.6.1.4.1.9.12.3.1.3.1713", "arista_eos": "1.3.6.1.4.1.30065.3.1.1"}


def entities(device: Device) -> list[Row]:
    """One row for a stack as such, one for each chassis, one for each supply; nothing for devices without units."""
    rows: dict[tuple[int, ...], dict[int, Value]] = {}
    stacked = len(device.units) > 1
    if stacked:
        rows[1,] = _entry(device, "c93xx Stack", 0, STACK, "c93xx Stack", "", "")
    for unit in device.units:
        at = unit.number * 1000
        name = (
            f"Switch {unit.number}" if device.family == "cisco_ios_xe" and unit.model.startswith("C93") else "Chassis"
        )
        rows[at,] = _entry(
            device, unit.model, 1 if stacked else 0, CHASSIS, name, unit.serial, unit.model,
            unit.number if stacked else -1,
        )  # fmt: skip
        for number, (supply, serial) in enumerate(unit.supplies, start=1):
            rows[at + 100 + number,] = _entry(
                device, _supply(unit), at, POWER_SUPPLY, supply, serial, _supply(unit), number
            )
    return mib.table("1.3.6.1.2.1.47.1.1.1.1", rows)


def _supply(unit: Unit) -> str:
    return {"C9300-24T": "PWR-C1-350WAC-P", "C9500-16X": "C9K-PWR-650WAC-R", "DCS-7050SX3-48YC8": "PWR-511-AC-RED"}.get(
        unit.model, "Power Supply"
    )


def _entry(device: Device, description: str, inside: int, physical_class: int, name: str, serial: str, model: str,
           position: int = -1) -> dict[int, Value]:  # fmt: skip
    return {
        2: mib.text(description),
        3: mib.name(_VENDOR_TYPES.get(device.family, "0.0")),
        4: mib.number(inside),
        5: mib.number(physical_class),
        6: mib.number(position),
        7: mib.text(name),
        8: mib.text("V01"),
        9: mib.text(""),
        10: mib.text(device.version),
        11: mib.text(serial),
        12: mib.text(device.vendor),
        13: mib.text(model),
        14: mib.text(""),
        15: mib.text(""),
        16: mib.number(1),
    }
