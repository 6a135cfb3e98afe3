"""Storage, tape, power, the Power frame with its console and partitions, a service processor, and the Linux hosts."""

from __future__ import annotations

from lab.description import ANY, Connection, Device, Disk, IfType, Linux, Listener, Port

GIB = 2**30


def _simple(id_: str, cls: str, name: str, family: str, address: str, label: str | None, mac: str, oid: str,
            descr: str, vendor: str, model: str, serial: str, version: str = "", port: str = "eth0",
            snmp: str = "v2c", loopback: bool = False, location: str | None = None) -> Device:  # fmt: skip
    """A device with one network port."""
    ports = [Port(port, 2 if loopback else 1, mac, description=port, address=f"{address}/24", vlan=5)]
    if loopback:
        ports.append(Port("lo", 1, type=IfType.LOOPBACK, description="lo", speed_mbps=10))
    return Device(id=id_, cls=cls, name=name, family=family, address=address, label=label,
                  location=location if location is not None else label or "", vendor=vendor, model=model,
                  version=version, serial=serial, sys_object_id=oid, sys_descr=descr, base_mac=mac,
                  ports=tuple(ports), snmp=snmp)  # fmt: skip


def appliances() -> tuple[Device, ...]:
    """Everything but network gear and computers. Product identifiers are those of the vendors' MIBs."""
    array = _simple("array1", "storage", "array1", "hpe_msa", "10.210.0.61", "D010110-012", "00:c0:ff:a1:a1:01",
                    "1.3.6.1.4.1.11.2.51", "HPE MSA 2060 FC", "HPE", "MSA 2060 FC", "ACM201T0A1",
                    "IN100R003", "mgmt")  # fmt: skip
    tape = _simple("tape1", "tape_library", "tape1", "ibm_ts4300", "10.210.0.71", "D020105-003", "00:0e:11:b1:b1:01",
                   "1.3.6.1.4.1.2.6.254", "IBM 3555-L3A TS4300 Tape Library", "IBM", "3555-L3A", "78AA1B2",
                   "1.4.2.0-B00")  # fmt: skip
    powernet = "1.3.6.1.4.1.318.1.3"
    ups1 = _simple("ups1", "power_unit", "ups1", "apc_ups", "10.210.0.81", "D010110-010", "00:c0:b7:c1:c1:01",
                   f"{powernet}.27", "APC Web/SNMP Management Card (MB:v4.1.0 PF:v7.0.8 PN:apc_hw21_aos_708.bin "
                   "AF1:v7.0.8 AN1:apc_hw21_su_708.bin MN:AP9641 HR:5 SN: ZA2114012345 MD:04/02/2021)", "APC",
                   "Smart-UPS SRT 5000", "AS2114123456", "UPS 09.8 (ID18)", loopback=True)  # fmt: skip
    ups2 = _simple("ups2", "power_unit", "ups2", "eaton_ups", "10.210.0.82", "D010110-014", "00:20:85:c2:c2:01",
                   "1.3.6.1.4.1.705.1", "Network Management Card", "EATON", "9PX 6000i", "GA41K09123", "LK",
                   snmp="v1", loopback=True)  # fmt: skip
    strips = tuple(
        _simple(id_, "power_unit", id_, "apc_pdu", address, label, mac, f"{powernet}.4.6",
                "APC Web/SNMP Management Card (MB:v4.1.0 PF:v7.0.6 PN:apc_hw05_aos_706.bin AF1:v7.0.6 "
                f"AN1:apc_hw05_rpdu2g_706.bin MN:AP8853 HR:02 SN: {serial} MD:08/14/2020)", "APC", "AP8853", serial,
                "v7.0.6", loopback=True)
        for id_, address, label, mac, serial in (
            ("pdu-a", "10.210.0.83", "D010110-011", "00:c0:b7:d1:d1:01", "ZA2033011111"),
            ("pdu-b", "10.210.0.84", "D010110-015", "00:c0:b7:d2:d2:01", "ZA2033022222"),
        )
    )  # fmt: skip
    hmc = _simple("hmc1", "management_controller", "hmc1", "ibm_hmc", "10.210.0.91", "D010210-010",
                  "40:f2:e9:e1:e1:01", "1.3.6.1.4.1.8072.3.2.10",
                  "Linux hmc1 4.18.0-372.70.1.hmc10_3s.x86_64 #1 SMP Wed Aug 23 11:34:40 EDT 2023 x86_64", "IBM",
                  "7063-CR2", "789A0B1", "V10R3M1051", loopback=True)  # fmt: skip
    bmc = _simple("bmc-db1", "management_controller", "bmc-db1", "dell_idrac", "10.210.0.92", None,
                  "b0:7b:25:f1:f1:01", "1.3.6.1.4.1.674.10892.5",
                  "Linux idrac-7HQX2N3 4.14.106 #1 SMP PREEMPT armv7l", "Dell", "iDRAC9", "CNBMC7HQX2N3",
                  "6.10.80.00", loopback=True, location="in db1")  # fmt: skip
    # Two sensors of a make that no family knows still have the name that they left the factory with.
    sensors = tuple(
        _simple(id_, "unknown_device", "localhost", "sensor", address, None, mac, "1.3.6.1.4.1.99999.7.1",
                "Rack sensor, temperature and humidity, firmware 2.11", "", "", "", location=location)
        for id_, address, mac, location in (
            ("sensor-a", "10.210.0.95", "00:90:e8:aa:aa:01", "machine room 1, cold aisle"),
            ("sensor-b", "10.210.0.96", "00:90:e8:bb:bb:01", "machine room 2, cold aisle"),
        )
    )  # fmt: skip
    return (array, tape, ups1, ups2, *strips, hmc, bmc, *sensors)


def power_frame() -> tuple[Device, ...]:
    """The frame itself answers nobody (its console speaks for it); its three partitions run AIX's own SNMP agent."""
    frame = Device(
        id="power1", cls="midrange_server", name="power1", family="declared", address=None, label="D010210-009",
        vendor="IBM", model="9105-42A", serial="7812ABC",
        ports=(Port("T1", 1), Port("T2", 2),
               Port("10000090fab10001", 3, type=IfType.FIBRE_CHANNEL, wwpn="10000090fab10001"),
               Port("10000090fab10002", 4, type=IfType.FIBRE_CHANNEL, wwpn="10000090fab10002")),
    )  # fmt: skip
    partitions = tuple(
        Device(
            id=name, cls="partition", name=name, family="ibm_aix", address=address, location="LPAR of power1",
            vendor="IBM", model="9105-42A", version="7.3.2.1", sys_object_id="1.3.6.1.4.1.2.3.1.2.1.1.3",
            sys_descr="IBM PowerPC CHRP Computer\nMachine Type: 0x0800004c Processor id: 00F8126B4C00\n"
            "Base Operating System Runtime AIX version: 07.03.0002.0001\n"
            "TCP/IP Client Support version: 07.03.0002.0001",
            base_mac=mac, snmp="v2c",
            ports=(Port("en0", 1, mac, description=f"en0; Product: {adapter}", address=f"{address}/24", vlan=10),
                   Port("lo0", 2, type=IfType.LOOPBACK, description="lo0; Software Loopback", speed_mbps=0)),
        )
        for name, address, mac, adapter in (
            ("vios1", "10.210.1.50", "40:f2:e9:a0:a0:01", "Shared Ethernet Adapter"),
            ("aixdb1", "10.210.1.51", "fa:e8:12:6b:4c:02", "Virtual I/O Ethernet Adapter (l-lan)"),
            ("aixapp1", "10.210.1.52", "fa:e8:12:6b:4c:03", "Virtual I/O Ethernet Adapter (l-lan)"),
        )
    )  # fmt: skip
    return (frame, *partitions)


def _listeners(*rows: tuple[str, int] | tuple[str, int, str]) -> tuple[Listener, ...]:
    """Listeners from (process, port[, address]) rows; the ports of one process share its pid. sshd is everywhere."""
    pids: dict[str, int] = {}
    users = {"nginx": "root", "java": "tomcat", "postgres": "postgres", "bacula-sd": "bacula", "bacula-dir": "bacula"}
    found: list[Listener] = []
    for process, port, *address in (("sshd", 22), ("sshd", 22, "[::]"), *rows):
        pid = pids.setdefault(process, 800 + 37 * len(pids))
        found.append(Listener(process, port, pid, str(address[0]) if address else ANY, users.get(process, "root")))
    return tuple(found)


_DEBIAN = ("debian12", "6.1.0-18-amd64")
_ROCKY = ("rocky9", "5.14.0-427.13.1.el9_4.x86_64")
_UBUNTU = ("ubuntu2204", "5.15.0-105-generic")
_CLONED = "4c4c4544-0037-4810-8051-c7c04f4e3533"
"""web1 was cloned into web2 with its firmware settings: two servers say that they are this one."""


def _host(name: str, last: int, label: str, macs: tuple[str, ...], nics: tuple[str, ...], system: tuple[str, str],
          make: tuple[str, str, str], serial: str | None, uuid: str, listeners: tuple[Listener, ...],
          disks: tuple[Disk, ...], hbas: tuple[str, ...] = (), lldpd: bool = True, sudo: bool = True,
          addresses: tuple[str, ...] = (), product_serial: str | None = None) -> Device:  # fmt: skip
    """A Linux host. Two ports make a bond that holds the address, unless each has an address of its own."""
    vendor, model, bios = make
    address = f"10.210.1.{last}"
    bonded = len(nics) > 1 and not addresses
    ports = [Port("lo", 1, type=IfType.LOOPBACK, speed_mbps=0)]
    for index, (nic, mac) in enumerate(zip(nics, macs, strict=True), start=2):
        own = (addresses or (f"{address}/24",))[index - 2] if not bonded else None
        ports.append(Port(nic, index, mac, address=own, vlan=10, bond="bond0" if bonded else None, speed_mbps=10000))
    if bonded:
        ports.append(Port("bond0", len(nics) + 2, macs[0], IfType.LAG, address=f"{address}/24", vlan=10,
                          speed_mbps=10000))  # fmt: skip
    ports += [
        Port(wwpn, 100 + number, type=IfType.FIBRE_CHANNEL, wwpn=wwpn, speed_mbps=16000)
        for number, wwpn in enumerate(hbas)
    ]
    return Device(
        id=name, cls="server", name=name, family="linux", address=address, label=label, vendor=vendor, model=model,
        serial=serial, base_mac=macs[0], ports=tuple(ports), ssh="shell", lldp=lldpd, capabilities=("station",),
        linux=Linux(distribution=system[0], kernel=system[1], vendor=vendor, uuid=uuid, bios=bios,
                    machine_id=f"{last:02d}" + ("9f3ac1d24e7b5806" * 2)[2:],
                    listeners=listeners, disks=disks, lldpd=lldpd, sudo=sudo,
                    product_serial=product_serial if product_serial is not None else serial),
    )  # fmt: skip


_DELL = ("Dell Inc.", "PowerEdge R650", "1.13.2")
_HPE = ("HPE", "ProLiant DL360 Gen10", "U32")
_SUPERMICRO = ("Supermicro", "SYS-6029P-TR", "3.3")


def _sata(serial: str) -> Disk:
    return Disk("sda", 480103981056, "SAMSUNG MZ7L3480HCHQ", serial)


def _san(name: str, size: int, volume: str) -> Disk:
    """A path to a volume of the array: MSA volumes show their volume's serial as WWID."""
    return Disk(name, size, "MSA 2060 FC", volume, "fc")


def hosts() -> tuple[Device, ...]:
    """Eight Linux servers; all dual-homed but web3, all with an LLDP daemon but bkp1, all with sudo but db2."""
    web = _listeners(("nginx", 80), ("nginx", 443), ("master", 25, "127.0.0.1"))
    app = _listeners(("java", 8080), ("java", 8005, "127.0.0.1"))
    data = _listeners(("postgres", 5432), ("bacula-fd", 9102))
    backup = _listeners(("bacula-dir", 9101), ("bacula-sd", 9103), ("master", 25, "127.0.0.1"))
    return (
        _host("web1", 11, "D010110-005", ("b0:26:28:01:01:10", "b0:26:28:01:01:11"), ("eno1", "eno2"), _DEBIAN, _DELL,
              "7HQ1WB3", _CLONED, web, (_sata("S6KKNE0T111111"),)),
        _host("web2", 12, "D010110-006", ("b0:26:28:02:02:10", "b0:26:28:02:02:11"), ("eno1", "eno2"), _DEBIAN, _DELL,
              "7HQ2WB3", _CLONED, web, (_sata("S6KKNE0T222222"),)),
        _host("web3", 13, "D010210-003", ("b0:26:28:03:03:10",), ("eno1",), _DEBIAN, _DELL,
              "7HQ3WB3", "4c4c4544-0037-4810-8051-c7c04f573333", web, (_sata("S6KKNE0T333333"),)),
        _host("app1", 21, "D010110-007", ("94:40:c9:04:04:20", "94:40:c9:04:04:21"), ("eno1", "eno2"), _ROCKY, _HPE,
              "CZ20410AP1", "30373237-3132-435a-3230-343130415031", app, (_sata("S6KKNE0T444444"),)),
        _host("app2", 22, "D010210-004", ("94:40:c9:05:05:20", "94:40:c9:05:05:21"), ("ens1f0", "ens1f1"), _ROCKY,
              _HPE, "CZ20410AP2", "30373237-3132-435a-3230-343130415032", app, (_sata("S6KKNE0T555555"),)),
        _host("db1", 31, "D010110-008", ("b0:26:28:06:06:10", "b0:26:28:06:06:11"), ("eno1", "eno2"), _UBUNTU, _DELL,
              "7HQX2N3", "4c4c4544-0037-4851-8058-b7c04f324e33", data,
              (_sata("S6KKNE0T666666"), _san("sdb", 500 * GIB, "600c0ff000a1a1010000000001000000")),
              ("10000090fa060001", "10000090fa060002")),
        _host("db2", 32, "D010210-005", ("b0:26:28:07:07:10", "b0:26:28:07:07:11"), ("ens1f0", "ens1f1"), _UBUNTU,
              _DELL, "7HQY2N3", "4c4c4544-0037-4851-8059-b7c04f324e33", data,
              (_sata("S6KKNE0T777777"), _san("sdb", 500 * GIB, "600c0ff000a1a1010000000002000000")),
              ("10000090fa070001", "10000090fa070002"), sudo=False),
        _host("bkp1", 41, "D020105-002", ("ac:1f:6b:08:08:10", "ac:1f:6b:08:08:11"), ("eno1", "eno2"), _DEBIAN,
              _SUPERMICRO, None, "00000000-0000-0000-0000-ac1f6b080810", backup,
              (_sata("S6KKNE0T888888"), _san("sdb", 2000 * GIB, "600c0ff000a1a1010000000003000000")),
              ("10000090fa080001",), lldpd=False, addresses=("10.210.1.41/24", "10.210.2.41/24"),
              product_serial="To be filled by O.E.M."),
    )  # fmt: skip


def connections() -> tuple[Connection, ...]:
    """Who talks to whom while the scanner looks: web → application → database, and the standby to its primary."""
    return (
        *(Connection(f"web{n}", "nginx", app, 8080, 4) for n in (1, 2, 3) for app in ("app1", "app2")),
        *(Connection(app, "java", "db1", 5432, 6) for app in ("app1", "app2")),
        Connection("db2", "postgres", "db1", 5432),
    )
