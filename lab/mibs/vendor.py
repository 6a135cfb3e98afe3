"""What single vendors add: Fabric OS (SW-MIB), UPS-MIB (RFC 1628), PowerNet-MIB, FORTINET MIBs, FCMGMT-MIB."""

from __future__ import annotations

from lab import mib
from lab.description import Device, IfType, Site
from lab.mib import Row, Value


def fabric(site: Site, device: Device) -> list[Row]:
    """SW-MIB of a Fabric OS switch: swFirmwareVersion, swFCPortTable, and the local part of the name server.

    swNsLocalTable is the source of who is logged in where: swNsPortID is the 24-bit fibre-channel address (in four
    octets), of which the middle octet is the port's area, that is its number; swNsPortName is the WWPN.
    """
    if device.cls != "fc_switch":
        return []
    node = "1.3.6.1.4.1.1588.2.1.1.1"
    domain = int(device.id[-1])
    rows = mib.scalars(f"{node}.1", {
        6: mib.text(device.version), 7: mib.number(1), 8: mib.number(1), 10: mib.text(device.serial or ""),
    })  # fmt: skip
    ports = [port for port in device.ports if port.type == IfType.FIBRE_CHANNEL]
    used = {own: (far, far_port) for own, far, far_port, _ in site.cables_of(device.id)}
    rows += mib.table(f"{node}.6.2.1", {
        (number,): {
            1: mib.number(number), 2: mib.number(20), 3: mib.number(6 if port.name in used else 4),
            4: mib.number(1 if port.name in used else 2), 5: mib.number(1),
            34: mib.text(bytes.fromhex(port.wwpn or "")), 36: mib.text(f"port{number - 1}"), 37: mib.text(port.name),
        }
        for number, port in enumerate(ports, start=1)
    })  # fmt: skip
    logins = [(number, used[port.name]) for number, port in enumerate(ports) if port.name in used]
    rows += mib.scalars(f"{node}.7", {1: mib.number(len(logins))})
    return rows + mib.table(f"{node}.7.2.1", {
        (order,): _login(order, domain, area, site.device(far), wwpn)
        for order, (area, (far, wwpn)) in enumerate(logins, start=1)
    })  # fmt: skip


def _login(order: int, domain: int, area: int, other: Device, wwpn: str) -> dict[int, Value]:
    node_name = bytes.fromhex("20" + wwpn[2:])
    return {
        1: mib.number(order),
        2: mib.text(bytes((0, domain, area, 0))),
        3: mib.number(1),
        4: mib.text(bytes.fromhex(wwpn)),
        5: mib.text(f"{other.vendor} {other.model}"),
        6: mib.text(node_name),
        7: mib.text(f"{other.vendor} {other.model} HN:{other.name}" if other.linux else ""),
        10: mib.text(b"\0\0\0\x08"),
        11: mib.text(bytes((0, 0, 1)) + bytes(29)),
        12: mib.text(bytes(16)),
        13: mib.text(node_name),
    }


def ups(device: Device) -> list[Row]:
    """UPS-MIB upsIdent, upsBattery, upsInput, upsOutput of both UPS."""
    if device.family not in {"apc_ups", "eaton_ups"}:
        return []
    node = "1.3.6.1.2.1.33.1"
    rows = mib.scalars(f"{node}.1", {
        1: mib.text("American Power Conversion" if device.vendor == "APC" else device.vendor),
        2: mib.text(device.model),
        3: mib.text(device.version), 4: mib.text(device.version), 5: mib.text(device.name), 6: mib.text(""),
    })  # fmt: skip
    rows += mib.scalars(f"{node}.2", {
        1: mib.number(2), 2: mib.number(0), 3: mib.number(54), 4: mib.number(100), 5: mib.number(2190),
        7: mib.number(27),
    })  # fmt: skip
    rows += mib.scalars(f"{node}.3", {1: mib.counter(4), 2: mib.number(1)})
    rows += mib.table(f"{node}.3.3.1", {(1,): {2: mib.number(500), 3: mib.number(231)}})
    rows += mib.scalars(f"{node}.4", {1: mib.number(3), 2: mib.number(500), 3: mib.number(1)})
    return rows + mib.table(f"{node}.4.4.1", {
        (1,): {2: mib.number(230), 3: mib.number(72), 4: mib.number(1650), 5: mib.number(38)},
    })  # fmt: skip


def powernet(device: Device) -> list[Row]:
    """PowerNet-MIB: upsBasicIdent and upsAdvIdent of a UPS, rPDU2Ident of a power strip."""
    node = "1.3.6.1.4.1.318.1.1"
    if device.family == "apc_ups":
        rows = mib.scalars(f"{node}.1.1.1", {1: mib.text(device.model), 2: mib.text(device.name)})
        rows += mib.scalars(f"{node}.1.1.2", {
            1: mib.text(device.version), 2: mib.text("04/02/2021"), 3: mib.text(device.serial or ""),
        })  # fmt: skip
        rows += mib.scalars(f"{node}.1.4.1", {1: mib.number(2)})
        return rows + mib.scalars(f"{node}.1.4.2", {1: mib.gauge(230), 2: mib.gauge(50), 3: mib.gauge(38)})
    if device.family == "apc_pdu":
        return mib.table(f"{node}.26.2.1", {
            (1,): {
                1: mib.number(1), 2: mib.number(1), 3: mib.text(device.name), 4: mib.text(device.location),
                5: mib.text("infrastructure@dc.example"), 6: mib.text("02"), 7: mib.text(device.version),
                8: mib.text("08/14/2020"), 9: mib.text(device.model), 10: mib.text(device.serial or ""),
            },
        })  # fmt: skip
    return []


def fortinet(device: Device) -> list[Row]:
    """FORTINET-CORE-MIB fnSysSerial and FORTINET-FORTIGATE-MIB fgSysVersion."""
    if device.family != "fortinet_fortigate":
        return []
    rows = mib.scalars("1.3.6.1.4.1.12356.100.1.1", {1: mib.text(device.serial or "")})
    return rows + mib.scalars(
        "1.3.6.1.4.1.12356.101.4.1", {1: mib.text(device.version), 3: mib.gauge(7), 4: mib.gauge(41)}
    )


def controller(device: Device) -> list[Row]:
    """IDRAC-MIB-SMIv2 racShortName, racVersion and racFirmwareVersion of a service processor."""
    if device.family != "dell_idrac":
        return []
    return mib.scalars("1.3.6.1.4.1.674.10892.5.1.1", {
        2: mib.text(device.model), 5: mib.text(device.version), 8: mib.text(device.version),
    })  # fmt: skip


def array(device: Device) -> list[Row]:
    """FCMGMT-MIB connUnitTable and connUnitPortTable of the array (experimental.94): its ports with their WWPNs."""
    if device.family != "hpe_msa":
        return []
    node = "1.3.6.1.3.94.1"
    ports = [port for port in device.ports if port.wwpn]
    unit = tuple(bytes.fromhex((ports[0].wwpn or "").ljust(32, "0")))
    rows = mib.table(f"{node}.6.1", {
        unit: {
            1: mib.text(bytes(unit)), 3: mib.number(11), 4: mib.number(len(ports)), 5: mib.number(2), 6: mib.number(3),
            7: mib.text(device.vendor + " " + device.model), 8: mib.text(device.serial or ""),
            20: mib.text(device.name),
        },
    })  # fmt: skip
    return rows + mib.table(f"{node}.10.1", {
        (*unit, number): {
            1: mib.text(bytes(unit)), 2: mib.number(number), 3: mib.number(16), 4: mib.text(b"\0\x08"),
            5: mib.text(b"\0\x08"), 6: mib.number(2), 7: mib.number(3),
            10: mib.text(bytes.fromhex((port.wwpn or "").ljust(32, "0"))), 17: mib.text(f"port {number}"),
        }
        for number, port in enumerate(ports, start=1)
    })  # fmt: skip
