"""LLDP-MIB (IEEE 802.1AB-2005): ourselves, our ports, and whom we hear at them."""

from __future__ import annotations

from collections.abc import Iterator

from discovery.facts import Chassis, LocalPort, Neighbour
from discovery.parsers.octets import Row, Rows, bits, ip, mac, number, scalar, table, text
from discovery.transport.base import Oid, SnmpValue

_CHASSIS_MAC, _CHASSIS_ADDRESS = 4, 5  # LldpChassisIdSubtype
_PORT_MAC, _PORT_ADDRESS = 3, 4  # LldpPortIdSubtype
_CAPABILITIES = {  # LldpSystemCapabilitiesMap
    0: "other", 1: "repeater", 2: "bridge", 3: "wlan", 4: "router", 5: "telephone", 6: "docsis", 7: "station",
}  # fmt: skip


def neighbours(rows: Rows) -> Iterator[Chassis | LocalPort | Neighbour]:
    """Read lldpLocalSystemData, lldpLocPortTable, lldpRemTable and lldpRemManAddrTable."""
    if number(scalar(rows, "1.0.8802.1.1.2.1.3.1.0"), "lldpLocChassisIdSubtype") == _CHASSIS_MAC:
        own = mac(scalar(rows, "1.0.8802.1.1.2.1.3.2.0"))
        if own:
            yield Chassis(own)
    for index, row in table(rows, "1.0.8802.1.1.2.1.3.7.1", 2, 3, 4).items():
        yield LocalPort(index[-1], _port_id(row.get(2), row.get(3)), text(row.get(4), "lldpLocPortDesc"))
    managed: dict[Oid, list[str]] = {}
    for index in table(rows, "1.0.8802.1.1.2.1.4.2.1", 3):
        # lldpRemTimeMark, lldpRemLocalPortNum, lldpRemIndex, then the address: family (RFC 3232), length, octets
        if len(index) > 5 and (address := ip(index[5 : 5 + index[4]])):
            managed.setdefault(index[1:3], []).append(address)
    latest: dict[Oid, tuple[int, Row]] = {}  # a row may be there again with an older lldpRemTimeMark
    for index, row in table(rows, "1.0.8802.1.1.2.1.4.1.1", 4, 5, 6, 7, 8, 9, 10, 12).items():
        if len(index) == 3 and index[0] >= latest.get(index[1:], (-1, row))[0]:
            latest[index[1:]] = index[0], row
    for index, (_, row) in sorted(latest.items()):
        yield _neighbour(index[0], row, tuple(sorted(managed.get(index, []))))


def _neighbour(port: int, row: Row, addresses: tuple[str, ...]) -> Neighbour:
    subtype, chassis = number(row.get(4), "lldpRemChassisIdSubtype"), row.get(5)
    if subtype == _CHASSIS_ADDRESS and (address := _network_address(chassis)):
        addresses = tuple(sorted({address, *addresses}))
    return Neighbour(
        port=_port_id(row.get(6), row.get(7)),
        number=port,
        chassis_mac=mac(chassis) if subtype == _CHASSIS_MAC else "",
        name=text(row.get(9), "lldpRemSysName"),
        description=text(row.get(10), "lldpRemSysDesc"),
        addresses=addresses,
        capabilities=frozenset(_CAPABILITIES[bit] for bit in bits(row.get(12)) if bit in _CAPABILITIES),
    )


def _port_id(subtype: SnmpValue | None, value: SnmpValue | None) -> str:
    """A port's id in one spelling: a MAC as such, an address as such, anything else as text."""
    match number(subtype, "LldpPortIdSubtype"):
        case int(kind) if kind == _PORT_MAC:
            return mac(value) or text(value, "lldpPortId")
        case int(kind) if kind == _PORT_ADDRESS:
            return _network_address(value) or text(value, "lldpPortId")
        case _:
            return text(value, "lldpPortId")


def _network_address(value: SnmpValue | None) -> str:
    """A network address as an id: its family's number (RFC 3232), then its octets."""
    return ip(value[1:]) if isinstance(value, bytes) and value[:1] in (b"\x01", b"\x02") else ""
