"""BRIDGE-MIB (RFC 4188) and Q-BRIDGE-MIB (RFC 4363): which MAC was learnt at which port."""

from __future__ import annotations

from collections.abc import Iterator

from discovery.facts import BasePort, Chassis, Learnt
from discovery.parsers.octets import Rows, mac, number, scalar, table

_LEARNED = 3  # dot1dTpFdbStatus, dot1qTpFdbStatus


def forwarding(rows: Rows) -> Iterator[Chassis | BasePort | Learnt]:
    """Read dot1dBasePortTable, dot1qTpFdbTable and dot1dTpFdbTable.

    A bridge that shows both tables says the same in both: the VLANs' one is taken.
    """
    own = mac(scalar(rows, "1.3.6.1.2.1.17.1.1.0"))  # dot1dBaseBridgeAddress
    if own:
        yield Chassis(own)
    for index, row in table(rows, "1.3.6.1.2.1.17.1.4.1", 2).items():
        at = number(row.get(2), "dot1dBasePortIfIndex")
        if at:
            yield BasePort(index[-1], at)
    by_vlan = list(_learnt(rows, "1.3.6.1.2.1.17.7.1.2.2.1", vlans=True))
    yield from by_vlan or _learnt(rows, "1.3.6.1.2.1.17.4.3.1", vlans=False)


def _learnt(rows: Rows, entry: str, *, vlans: bool) -> Iterator[Learnt]:
    """The MAC is the end of the index; dot1dTpFdbAddress itself is not asked for. Port 0: heard, nobody knows where."""
    for index, row in table(rows, entry, 2, 3).items():
        address, port = mac(index[-6:]), number(row.get(2), "TpFdbPort")
        if address and port and number(row.get(3), "TpFdbStatus") == _LEARNED:
            yield Learnt(address, port, index[0] if vlans else None)
