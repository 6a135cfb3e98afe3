"""Fibre channel over SNMP: SW-MIB of Fabric OS switches, FCMGMT-MIB (Fibre Alliance) of arrays and libraries."""

from __future__ import annotations

from collections.abc import Iterator

from discovery.facts import FcLogin, FcPort, ParseError
from discovery.parsers.octets import Rows, number, shown, table, text, wwn

_ONLINE = 1  # swFCPortOpStatus


def sw_mib(rows: Rows) -> Iterator[FcPort | FcLogin]:
    """Read swFCPortTable and swNsLocalTable, the switch's own part of the name server.

    swNsPortID is the fibre-channel address in four octets: 0, domain, area, port. The area is the switch's number of
    the port, counted from 0; swFCPortIndex counts the same from 1.
    """
    for index, row in table(rows, "1.3.6.1.4.1.1588.2.1.1.1.6.2.1", 4, 34).items():
        if port := wwn(row.get(34)):  # swFCPortWwn
            yield FcPort(port, index=index[-1] - 1, oper_up=number(row.get(4), "swFCPortOpStatus") == _ONLINE)
    for row in table(rows, "1.3.6.1.4.1.1588.2.1.1.1.7.2.1", 2, 4, 5, 6).values():
        address = row.get(2)
        if not isinstance(address, bytes) or len(address) != 4:
            raise ParseError(f"swNsPortID is no address of four octets: {shown(address or b'')}")
        if port := wwn(row.get(4)):  # swNsPortName
            yield FcLogin(port, address[2], wwn(row.get(6)), text(row.get(5), "swNsPortSymb"))


def connection_units(rows: Rows) -> Iterator[FcPort]:
    """Read connUnitPortTable: the ports of this unit, by their WWPNs."""
    for row in table(rows, "1.3.6.1.3.94.1.10.1", 10).values():
        if port := wwn(row.get(10)):  # connUnitPortWwn
            yield FcPort(port)
