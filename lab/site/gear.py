"""The network of the site: cores, access ring, management switch, firewall, fabrics, and what never answers.

Object identifiers of products: CISCO-PRODUCTS-MIB, ARISTA-PRODUCTS-MIB, HH3C-PRODUCT-ID-MIB, FORTINET-FORTIGATE-MIB,
SW-MIB. Index schemes as the vendors document them (Arista: 999001 for Management1, 2000000 + VLAN; Fabric OS: 2^30 +
port).
"""

from __future__ import annotations

from lab.description import Device, IfType, Port, Unit

VLAN_MANAGEMENT = 5
VLAN_SERVERS = 10
VLAN_BACKUP = 20
DOMAIN = ".dc.example"

_IOS = "17.9.4"


def mac_at(base: str, offset: int) -> str:
    """The address `offset` behind a base address."""
    value = int(base.replace(":", ""), 16) + offset
    return ":".join(f"{value:012x}"[at : at + 2] for at in range(0, 12, 2))


def cisco(id_: str, address: str, label: str, base: str, members: tuple[Unit, ...], copper: int, fibre: int,
          model: str, oid: str, vlans: dict[int, str], location: str, lag: bool = False,
          also: tuple[str, ...] = ()) -> Device:  # fmt: skip
    """A Catalyst: `copper` gigabit ports and `fibre` ten-gigabit ones in each member, an SVI for each VLAN."""
    ports: list[Port] = [Port("Gi0/0", 1, mac_at(base, 1), description="GigabitEthernet0/0", management=True)]
    ports.append(Port("Nu0", 2, type=IfType.OTHER, description="Null0", speed_mbps=10000))
    index = 8
    for unit in members:
        own = mac_at(base, 0x100 * (unit.number - 1))
        slot, bay = f"{unit.number}/0/", f"{unit.number}/1/" if copper else f"{unit.number}/0/"
        for number in range(1, copper + 1):
            ports.append(Port(f"Gi{slot}{number}", index, mac_at(own, number + 2), unit=unit.number,
                              description=f"GigabitEthernet{slot}{number}", vlan=VLAN_SERVERS))  # fmt: skip
            index += 1
        for number in range(1, fibre + 1):
            ports.append(Port(f"Te{bay}{number}", index, mac_at(own, copper + number + 2), unit=unit.number,
                              description=f"TenGigabitEthernet{bay}{number}", speed_mbps=10000, vlan=0))  # fmt: skip
            index += 1
    for vlan, svi in vlans.items():
        ports.append(Port(f"Vl{vlan}", 200 + vlan, mac_at(base, 0x40), IfType.PROP_VIRTUAL, f"Vlan{vlan}",
                          address=svi or None, vlan=vlan))  # fmt: skip
    if lag:
        ports.append(Port("Po1", 300, mac_at(base, 0x50), IfType.PROP_VIRTUAL, "Port-channel1", 20000, vlan=0))
    return Device(
        id=id_, cls="network_switch", name=id_, family="cisco_ios_xe", address=address, label=label, location=location,
        vendor="Cisco", model=model, version=_IOS, serial=members[0].serial, sys_object_id=oid, base_mac=base,
        sys_descr=f"Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version {_IOS}, "
        "RELEASE SOFTWARE (fc3)\r\nTechnical Support: http://www.cisco.com/techsupport\r\n"
        "Copyright (c) 1986-2023 by Cisco Systems, Inc.\r\nCompiled Tue 18-Jul-23 02:44 by mcpre",
        ports=tuple(ports), units=members, snmp="v2c", ssh="prompt", lldp=True, capabilities=("bridge", "router"),
        also=also, domain=DOMAIN,
    )  # fmt: skip


def arista(id_: str, address: str, label: str, base: str, serial: str, location: str) -> Device:
    """A 7050SX3 with the first 24 and the uplink ports in use, managed in-band."""
    ports = [
        Port(f"Ethernet{n}", n, mac_at(base, n), description=f"Ethernet{n}", speed_mbps=10000, vlan=VLAN_SERVERS)
        for n in range(1, 25)
    ]
    ports += [
        Port(f"Ethernet{n}", n, mac_at(base, n), description=f"Ethernet{n}", speed_mbps=10000, vlan=0)
        for n in range(49, 53)
    ]
    ports.append(Port("Management1", 999001, mac_at(base, 0x60), description="Management1", management=True))
    ports.append(Port("Vlan5", 2000005, base, IfType.L2_VLAN, "Vlan5", address=f"{address}/24", vlan=5))
    ports.append(Port("Loopback0", 5000000, type=IfType.LOOPBACK, description="Loopback0", speed_mbps=0))
    return Device(
        id=id_, cls="network_switch", name=id_, family="arista_eos", address=address, label=label, location=location,
        vendor="Arista", model="DCS-7050SX3-48YC8", version="4.30.4M", serial=serial,
        sys_object_id="1.3.6.1.4.1.30065.1.3011.7050.3741.3.48.2733.8.3282",
        sys_descr="Arista Networks EOS version 4.30.4M running on an Arista Networks DCS-7050SX3-48YC8", base_mac=base,
        ports=tuple(ports), snmp="v2c", lldp=True, capabilities=("bridge", "router"), domain=DOMAIN,
        units=(Unit(1, "DCS-7050SX3-48YC8", serial,
                    supplies=(("PowerSupply1", f"K192{serial[-5:]}1"), ("PowerSupply2", f"K192{serial[-5:]}2"))),),
    )  # fmt: skip


def comware(id_: str, address: str, label: str, base: str, serial: str, location: str) -> Device:
    """A 5130: 24 gigabit ports, all in the management VLAN, and four ten-gigabit ones."""
    ports = [
        Port(f"GigabitEthernet1/0/{n}", n, mac_at(base, n), description=f"GigabitEthernet1/0/{n}",
             vlan=VLAN_MANAGEMENT)
        for n in range(1, 25)
    ]  # fmt: skip
    ports += [
        Port(f"Ten-GigabitEthernet1/0/{n}", n, mac_at(base, n), speed_mbps=10000, vlan=0,
             description=f"Ten-GigabitEthernet1/0/{n}")
        for n in range(25, 29)
    ]  # fmt: skip
    ports.append(Port("InLoopBack0", 29, type=IfType.LOOPBACK, description="InLoopBack0", speed_mbps=0))
    ports.append(Port("NULL0", 30, type=IfType.OTHER, description="NULL0", speed_mbps=0))
    ports.append(
        Port("Vlan-interface5", 31, mac_at(base, 0x30), IfType.L2_VLAN, "Vlan-interface5",
             address=f"{address}/24", vlan=VLAN_MANAGEMENT)
    )  # fmt: skip
    return Device(
        id=id_, cls="network_switch", name=id_, family="hpe_comware", address=address, label=label, location=location,
        vendor="HPE", model="JG932A", version="7.1.070", serial=serial, sys_object_id="1.3.6.1.4.1.25506.11.1.154",
        sys_descr="HPE Comware Platform Software, Software Version 7.1.070, Release 3507P02\r\n"
        "HPE 5130-24G-4SFP+ EI Switch\r\nCopyright (c) 2010-2021 Hewlett Packard Enterprise Development LP",
        base_mac=base, ports=tuple(ports), snmp="v2c", lldp=True, capabilities=("bridge", "router"),
        units=(Unit(1, "JG932A", serial, supplies=(("PSU 1", ""),)),),
    )  # fmt: skip


def brocade(id_: str, address: str, label: str, base: str, wwn: str, serial: str, snmp: str, location: str) -> Device:
    """A G620 with its first 24 ports licensed; `wwn` is the switch's node name, which the ports count up from."""
    ports = [
        Port("eth0", 805306369, base, description="eth0", address=f"{address}/24", vlan=5, management=True),
        Port("lo", 268435456, type=IfType.LOOPBACK, description="lo", speed_mbps=0),
    ]
    ports += [
        Port(f"0/{n}", 1073741824 + n, type=IfType.FIBRE_CHANNEL, description=f"FC port 0/{n}", speed_mbps=32000,
             wwpn=f"20{n:02x}{wwn[4:]}")
        for n in range(24)
    ]  # fmt: skip
    return Device(
        id=id_, cls="fc_switch", name=id_, family="brocade_fos", address=address, label=label, location=location,
        vendor="Brocade", model="G620", version="v9.1.1c", serial=serial, sys_descr="Fibre Channel Switch.",
        sys_object_id="1.3.6.1.4.1.1588.2.1.1.1.1.183", base_mac=base, ports=tuple(ports), snmp=snmp,
        units=(Unit(1, "G620", serial, supplies=((f"{id_} PSU 1", "DUBN2F9"), (f"{id_} PSU 2", "DUBN2G4"))),),
    )  # fmt: skip


def fortigate(id_: str, address: str, label: str, base: str, serial: str, location: str) -> Device:
    """A FortiGate with eight data ports; it sends LLDP, and shows nobody what it hears."""
    ports = [
        Port(f"port{n}", n, mac_at(base, n), description="", address=f"{address}/24" if n == 1 else None, vlan=5)
        for n in range(1, 9)
    ]
    ports.append(Port("ssl.root", 9, type=IfType.TUNNEL, description="", speed_mbps=0))
    return Device(
        id=id_, cls="firewall", name=id_, family="fortinet_fortigate", address=address, label=label, location=location,
        vendor="Fortinet", model="FGT_100F", version="v7.2.8,build1639,240313 (GA.M)", serial=serial,
        sys_object_id="1.3.6.1.4.1.12356.101.1.1041", sys_descr="site firewall", base_mac=mac_at(base, 1),
        ports=tuple(ports), snmp="v3", lldp=True, capabilities=("router",),
        units=(Unit(1, "FGT_100F", serial),),
    )  # fmt: skip


_STACK = (
    Unit(1, "C9300-24T", "FCW2331L0AB", "active", (("Switch 1 - Power Supply A", "LIT23310A1B"),)),
    Unit(2, "C9300-24T", "FCW2331L0CD", "standby", (("Switch 2 - Power Supply A", "LIT23310A2C"),)),
    Unit(3, "C9300-24T", "FCW2331L0EF", "member", (("Switch 3 - Power Supply A", "LIT23310A3D"),)),
)
_ONE = (Unit(1, "C9300-24T", "FCW2412G1HJ", "active", (("Switch 1 - Power Supply A", "LIT24120K7M"),)),)


def _core(id_: str, last: int, label: str, base: str, serial: str) -> Device:
    supplies = (("Power Supply Module 0", f"ART{serial[3:]}A"), ("Power Supply Module 1", f"ART{serial[3:]}B"))
    return cisco(
        id_, f"10.210.0.{last}", label, base, (Unit(1, "C9500-16X", serial, "active", supplies),), 0, 16, "C9500-16X",
        "1.3.6.1.4.1.9.1.2593",
        {1: "", 5: f"10.210.0.{last}/24", 10: f"10.210.1.{241 + last}/24", 20: f"10.210.2.{241 + last}/24"},
        f"Core, {label}", lag=True, also=(f"10.210.1.{241 + last}",),
    )  # fmt: skip


def gear() -> tuple[Device, ...]:
    """Everything that forwards, and the neighbour that nobody may scan."""
    catalyst = "1.3.6.1.4.1.9.1.2494"
    return (
        _core("core1", 11, "D010110-001", "70:7d:b9:10:01:00", "FDO2345E0P1"),
        _core("core2", 12, "D010210-001", "70:7d:b9:20:02:00", "FDO2345E0Q2"),
        cisco("acc1", "10.210.0.21", "D010110-002", "70:7d:b9:31:10:00", _STACK, 24, 4, "C9300-24T", catalyst,
              {1: "", 5: "10.210.0.21/24"}, "D010110-002"),
        cisco("acc2", "10.210.0.22", "D010110-003", "70:7d:b9:32:20:00", _ONE, 24, 4, "C9300-24T", catalyst,
              {1: "", 5: "10.210.0.22/24"}, "Building 01, room 10 / D010110-003"),
        arista("acc3", "10.210.0.23", "D010210-002", "44:4c:a8:33:30:00", "JPE19283341", "D010210-002"),
        arista("acc4", "10.210.0.24", "D020105-001", "44:4c:a8:44:40:00", "JPE19283377", "D020105-001"),
        comware("mgm1", "10.210.0.31", "D010110-013", "94:18:82:51:51:00", "CN72FP70Q3", "D010110-013"),
        fortigate("fw1", "10.210.0.41", "D010110-004", "70:4c:a5:61:61:00", "FG100FTK20031234", "D010110-004"),
        brocade("fcsw1", "10.210.0.51", "D010110-009", "88:94:71:71:71:00", "1000889471717100", "FBK0307M01A", "v2c",
                "D010110-009"),
        brocade("fcsw2", "10.210.0.52", "D010210-006", "88:94:71:72:72:00", "1000889471727200", "FBK0307M02B", "v3",
                "D010210-006"),
        Device(id="lobby-sw", cls="network_switch", name="lobby-sw", family="unscanned", address=None,
               base_mac="00:1a:1e:81:81:00", ports=(Port("24", 24, "00:1a:1e:81:81:18", description="Port 24"),),
               sys_descr="ProCurve J9773A 2530-24G-PoEP Switch", lldp=True, capabilities=("bridge",)),
    )  # fmt: skip
