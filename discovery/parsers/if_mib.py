"""IF-MIB (RFC 2863): ifTable and ifXTable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from discovery.facts import Interface
from discovery.parsers.octets import Row, Rows, mac, number, table, text, wwn

# IANAifType-MIB
_KINDS = {
    1: "other",
    6: "ethernet",
    24: "loopback",
    53: "virtual",  # propVirtual: what Cisco makes of SVIs and port channels
    56: "fc",
    62: "ethernet",  # fastEther, deprecated
    69: "ethernet",  # fastEtherFX, deprecated
    117: "ethernet",  # gigabitEthernet, deprecated
    131: "tunnel",
    135: "vlan",
    136: "vlan",  # l3ipvlan
    161: "lag",
    209: "software",  # bridge
}
_UP = 1
_FASTEST_IF_SPEED = 2**32 - 1


def interfaces(rows: Rows) -> Iterator[Interface]:
    """Join both tables by ifIndex. The name is ifName, else ifDescr.

    Where two interfaces have one name (ifDescr is a product's name on some hosts), the index tells them apart.
    """
    base = table(rows, "1.3.6.1.2.1.2.2.1", 2, 3, 5, 6, 7, 8)
    more = table(rows, "1.3.6.1.2.1.31.1.1.1", 1, 15, 18)
    found = [_interface(index[0], base[index], more.get(index, {})) for index in base if len(index) == 1]
    names = [interface.name for interface in found]
    for interface in found:
        again = names.count(interface.name) > 1
        yield replace(interface, name=f"{interface.name}#{interface.index}") if again else interface


def _interface(index: int, base: Row, more: Row) -> Interface:
    description = text(base.get(2), "ifDescr")
    physical = base.get(6)
    return Interface(
        name=text(more.get(1), "ifName") or description or str(index),
        kind=_KINDS.get(number(base.get(3), "ifType") or 1, "port"),
        index=index,
        mac=mac(physical),
        in_use=mac(physical),
        wwn=wwn(physical),
        description=description,
        alias=text(more.get(18), "ifAlias"),
        speed=_speed(number(base.get(5), "ifSpeed"), number(more.get(15), "ifHighSpeed")),
        admin_up=_is_up(base.get(7), "ifAdminStatus"),
        oper_up=_is_up(base.get(8), "ifOperStatus"),
    )


def _speed(bits: int | None, megabits: int | None) -> int | None:
    """Bits a second. ifSpeed cannot say more than 2^32 - 1; ifHighSpeed counts in millions. Zero means unknown."""
    if megabits and (not bits or bits >= _FASTEST_IF_SPEED or megabits * 1_000_000 >= bits):
        return megabits * 1_000_000
    return bits or None


def _is_up(value: object, what: str) -> bool | None:
    return None if value is None else number(value if isinstance(value, int) else None, what) == _UP
