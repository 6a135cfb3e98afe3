"""lldpd: `lldpcli -f json0 show neighbors`, in which every level is a list and every value an object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from discovery.facts import Neighbour, ParseError

_CAPABILITIES = {"Bridge": "bridge", "Router": "router", "Wlan": "wlan", "Tel": "telephone", "Docsis": "docsis",
                 "Station": "station", "Repeater": "repeater", "Other": "other"}  # fmt: skip
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def neighbours(text: str) -> Iterator[Neighbour]:
    """Yield the neighbours that speak LLDP; lldpd also hears CDP, EDP, FDP and SONMP, which say less."""
    if not text.strip():
        return
    try:
        top = json.loads(text)["lldp"]
    except (ValueError, KeyError, TypeError) as error:
        raise ParseError("not the JSON of lldpcli") from error
    if not isinstance(top, list):
        raise ParseError("not the format json0 of lldpcli")
    for part in top:
        for row in part.get("interface", []):
            if row.get("via", "LLDP") == "LLDP":
                yield from _neighbour(row)


def _neighbour(row: dict[str, list[dict[str, object]]]) -> Iterator[Neighbour]:
    for chassis, port in zip(row.get("chassis", []), row.get("port", []), strict=False):
        kind, value = _id(chassis)
        _, port_id = _id(port)
        addresses = {address for address in _values(chassis, "mgmt-ip") if address}
        if kind == "ip" and value:
            addresses.add(value)
        yield Neighbour(
            port=port_id.lower() if _MAC.fullmatch(port_id.lower()) else port_id,
            local=str(row.get("name", "")),
            chassis_mac=value.lower() if kind == "mac" and _MAC.fullmatch(value.lower()) else "",
            name=next(iter(_values(chassis, "name")), ""),
            description=next(iter(_values(chassis, "descr")), ""),
            addresses=tuple(sorted(addresses)),
            capabilities=frozenset(_enabled(chassis.get("capability"))),
        )


def _id(part: dict[str, object]) -> tuple[str, str]:
    ids = part.get("id")
    if not isinstance(ids, list) or not ids or not isinstance(ids[0], dict):
        raise ParseError("a neighbour without an id")
    return str(ids[0].get("type", "")), str(ids[0].get("value", ""))


def _values(part: dict[str, object], name: str) -> list[str]:
    found = part.get(name)
    return [str(item.get("value", "")) for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _enabled(capabilities: object) -> Iterator[str]:
    for item in capabilities if isinstance(capabilities, list) else []:
        if isinstance(item, dict) and item.get("enabled") and item.get("type") in _CAPABILITIES:
            yield _CAPABILITIES[item["type"]]
