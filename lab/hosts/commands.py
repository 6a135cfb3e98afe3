"""What iproute2, util-linux, lldpd and dmidecode print on a Linux host, in the formats that their manuals document."""

from __future__ import annotations

import json
from ipaddress import IPv4Interface

from lab.description import Connection, Device, IfType, Linux, Listener, Port, Site
from lab.hosts.files import MEMORY_KIB
from lab.mibs.neighbours import primary_address

EPHEMERAL = 40000
_ENABLED_BESIDE = ("Bridge", "Router")


def replies(site: Site, device: Device, linux: Linux) -> dict[str, str]:
    """By file name below `commands`; the shims choose among them by the arguments that they get."""
    found = {
        "hostname": f"{device.name}\n",
        "hostname.fqdn": f"{device.name}.dc.example\n",
        "kernel": f"{linux.kernel}\n",
        "uptime_s": "8640000\n",
        "memory_kib": f"{MEMORY_KIB}\n",
        "sudo": "yes\n" if linux.sudo else "no\n",
        "ip.addr": _json([_link(port, device, details=False) | _addresses(port) for port in _net(device)]),
        "ip.addr.details": _json([_link(port, device, details=True) | _addresses(port) for port in _net(device)]),
        "ip.link": _json([_link(port, device, details=False) for port in _net(device)]),
        "ip.link.details": _json([_link(port, device, details=True) for port in _net(device)]),
        "ip.route": _json(_routes(device)),
        "ip.neigh": _json([]),
        "ss": "".join("\t".join(row) + "\n" for row in _sockets(site, device, linux)),
        "lsblk": "".join("\t".join(row) + "\n" for row in _block_devices(linux)),
        "dmidecode": "".join(f"{key}\t{value}\n" for key, value in _dmi(device, linux).items()),
        "ps": "".join("\t".join(row) + "\n" for row in _processes(linux)),
    }
    if linux.lldpd:
        neighbours = _neighbours(site, device)
        found["lldpcli.json"] = _json({"lldp": {"interface": neighbours} if len(neighbours) != 1 else
                                                {"interface": neighbours[0]}})  # fmt: skip
        found["lldpcli.json0"] = _json({"lldp": [{"interface": _neighbours_json0(neighbours)}]})
    return found


def _json(value: object) -> str:
    return json.dumps(value) + "\n"


def _net(device: Device) -> list[Port]:
    return [port for port in device.ports if port.type != IfType.FIBRE_CHANNEL]


def _link(port: Port, device: Device, details: bool) -> dict[str, object]:
    """One link of `ip -json link` (iproute2 6.1, print_linkinfo)."""
    if port.type == IfType.LOOPBACK:
        return {"ifindex": port.index, "ifname": port.name, "flags": ["LOOPBACK", "UP", "LOWER_UP"], "mtu": 65536,
                "qdisc": "noqueue", "operstate": "UNKNOWN", "group": "default", "txqlen": 1000,
                "link_type": "loopback", "address": "00:00:00:00:00:00", "broadcast": "00:00:00:00:00:00"}  # fmt: skip
    flags = ["BROADCAST", "MULTICAST", *({IfType.LAG: ["MASTER"]}.get(port.type, ["SLAVE"] if port.bond else [])), "UP",
             "LOWER_UP"]  # fmt: skip
    link: dict[str, object] = {"ifindex": port.index, "ifname": port.name, "flags": flags, "mtu": 1500}
    link["qdisc"] = "noqueue" if port.type == IfType.LAG else "mq"
    if port.bond:
        link["master"] = port.bond
    link |= {"operstate": "UP", "linkmode": "DEFAULT", "group": "default", "txqlen": 1000, "link_type": "ether"}
    shared = device.port(port.bond).mac if port.bond else port.mac
    link |= {"address": shared, "broadcast": "ff:ff:ff:ff:ff:ff"}
    if shared != port.mac:
        link["permaddr"] = port.mac  # A slave takes the bond's address; what was burnt in shows here.
    if details and port.type == IfType.LAG:
        link["linkinfo"] = {"info_kind": "bond", "info_data": {"mode": "active-backup", "miimon": 100}}
    elif details and port.bond:
        link["linkinfo"] = {"info_slave_kind": "bond", "info_slave_data": {"state": "ACTIVE", "perm_hwaddr": port.mac}}
    return link


def _addresses(port: Port) -> dict[str, object]:
    held = port.address or ("127.0.0.1/8" if port.type == IfType.LOOPBACK else None)
    if held is None:
        return {"addr_info": []}
    interface = IPv4Interface(held)
    info: dict[str, object] = {"family": "inet", "local": str(interface.ip), "prefixlen": interface.network.prefixlen}
    if port.type != IfType.LOOPBACK:
        info["broadcast"] = str(interface.network.broadcast_address)
    info |= {"scope": "host" if port.type == IfType.LOOPBACK else "global", "label": port.name}
    info |= {"valid_life_time": 4294967295, "preferred_life_time": 4294967295}
    infos = [info]
    if port.type == IfType.LOOPBACK:
        infos.append({"family": "inet6", "local": "::1", "prefixlen": 128, "scope": "host",
                      "valid_life_time": 4294967295, "preferred_life_time": 4294967295})  # fmt: skip
    return {"addr_info": infos}


def _routes(device: Device) -> list[dict[str, object]]:
    held = [(port, IPv4Interface(port.address)) for port in device.ports if port.address]
    routes: list[dict[str, object]] = [
        {"dst": "default", "gateway": "10.210.1.254", "dev": held[0][0].name, "flags": []},
    ]
    routes += [
        {"dst": str(interface.network), "dev": port.name, "protocol": "kernel", "scope": "link",
         "prefsrc": str(interface.ip), "flags": []}
        for port, interface in held
    ]  # fmt: skip
    return routes


def _sockets(site: Site, device: Device, linux: Linux) -> list[tuple[str, ...]]:
    """Rows of `ss`: netid, state, receive queue, send queue, local, peer, and the users that only root sees."""
    rows: list[tuple[str, ...]] = [("udp", "UNCONN", "0", "0", "127.0.0.1:323", "0.0.0.0:*",
                                    'users:(("chronyd",pid=655,fd=5))')]  # fmt: skip
    for listener in linux.listeners:
        peer = "[::]:*" if listener.address.startswith("[") else "0.0.0.0:*"
        rows.append(("tcp", "LISTEN", "0", "128", f"{listener.address}:{listener.port}", peer, _users(listener, 3)))
    for order, connection in enumerate(site.connections):
        for number in range(connection.count):
            port = EPHEMERAL + 100 * order + number
            if connection.host == device.id:
                owner = _process(linux, connection)
                rows.append(("tcp", "ESTAB", "0", "0", f"{device.address}:{port}",
                             f"{site.device(connection.to).address}:{connection.port}", owner))  # fmt: skip
            elif connection.to == device.id:
                listener = next(item for item in linux.listeners if item.port == connection.port)
                far = f"{site.device(connection.host).address}:{port}"
                rows.append(("tcp", "ESTAB", "0", "0", f"{device.address}:{connection.port}", far,
                             _users(listener, 9 + number)))  # fmt: skip
    return rows


def _users(listener: Listener, descriptor: int) -> str:
    if listener.process == "nginx":  # The master and one worker share the socket.
        return (f'users:(("nginx",pid={listener.pid + 1},fd={descriptor}),'
                f'("nginx",pid={listener.pid},fd={descriptor}))')  # fmt: skip
    return f'users:(("{listener.process}",pid={listener.pid},fd={descriptor}))'


def _process(linux: Linux, connection: Connection) -> str:
    listener = next(item for item in linux.listeners if item.process == connection.process)
    return _users(listener, 20)


def _block_devices(linux: Linux) -> list[tuple[str, ...]]:
    """Rows for `lsblk`: name, type, size, size for people, model, serial, WWN, transport, rotational, parent."""
    rows: list[tuple[str, ...]] = []
    for disk in linux.disks:
        wwn = f"0x{disk.serial}" if disk.transport == "fc" else f"0x5002538{sum(map(ord, disk.serial)):09x}"
        rows.append((disk.name, "disk", str(disk.size), _for_people(disk.size), disk.model, disk.serial, wwn,
                     disk.transport, "0", ""))  # fmt: skip
        if disk.transport != "fc":
            size = disk.size - 2**20
            rows.append((f"{disk.name}1", "part", str(size), _for_people(size), "", "", wwn, "", "0", disk.name))
    return rows


def _for_people(size: int) -> str:
    power = min((size.bit_length() - 1) // 10, 4)
    return f"{size / 1024**power:.1f}{'BKMGT'[power]}".replace(".0", "")


def _dmi(device: Device, linux: Linux) -> dict[str, str]:
    return {
        "system-manufacturer": linux.vendor, "system-product-name": device.model, "system-version": "Not Specified",
        "system-serial-number": linux.product_serial or "", "system-uuid": linux.uuid, "bios-version": linux.bios,
        "chassis-serial-number": linux.product_serial or "", "bios-vendor": linux.vendor,
    }  # fmt: skip


def _processes(linux: Linux) -> list[tuple[str, ...]]:
    """Rows for `ps`: pid, parent, user, command name, command line."""
    paths = {"nginx": "nginx: master process /usr/sbin/nginx", "java": "/usr/bin/java -jar /srv/shop/logic.jar",
             "postgres": "/usr/lib/postgresql/14/bin/postgres -D /var/lib/postgresql/14/main",
             "sshd": "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"}  # fmt: skip
    seen: dict[int, tuple[str, ...]] = {1: ("1", "0", "root", "systemd", "/sbin/init")}
    for listener in linux.listeners:
        command = paths.get(listener.process, f"/usr/sbin/{listener.process}")
        seen[listener.pid] = (str(listener.pid), "1", listener.user, listener.process, command)
        if listener.process == "nginx":
            seen[listener.pid + 1] = (str(listener.pid + 1), str(listener.pid), "www-data", "nginx",
                                      "nginx: worker process")  # fmt: skip
    return [seen[pid] for pid in sorted(seen)]


def _neighbours(site: Site, device: Device) -> list[dict[str, object]]:
    """`lldpcli -f json show neighbors`: one object for each interface that hears somebody (lldpd 1.0)."""
    found: list[dict[str, object]] = []
    for own, far, far_port, cable in site.cables_of(device.id):
        other = site.device(far)
        if cable.seen != "lldp" or not other.lldp:
            continue
        port = other.port(far_port)
        chassis = {
            "id": {"type": "mac", "value": other.base_mac},
            "descr": other.sys_descr,
            "mgmt-ip": primary_address(other),
            "capability": [
                {"type": name, "enabled": name.lower() in other.capabilities} for name in _ENABLED_BESIDE
            ],
        }  # fmt: skip
        found.append({own: {
            "via": "LLDP", "rid": str(len(found) + 1), "age": "90 days, 03:12:45", "chassis": {other.sys_name: chassis},
            "port": {"id": {"type": "ifname", "value": port.name}, "descr": port.description or port.name,
                     "ttl": "120"},
        }})  # fmt: skip
    return found


def _neighbours_json0(neighbours: list[dict[str, object]]) -> list[dict[str, object]]:
    """The same in `json0`: every level a list, names as values."""
    found: list[dict[str, object]] = []
    for neighbour in neighbours:
        for name, value in neighbour.items():
            if not isinstance(value, dict):
                raise TypeError(f"{name}: not a neighbour")
            ((system, chassis),) = value["chassis"].items()
            port = value["port"]
            found.append({
                "name": name, "via": value["via"], "rid": value["rid"], "age": value["age"],
                "chassis": [{
                    "id": [chassis["id"]], "name": [{"value": system}], "descr": [{"value": chassis["descr"]}],
                    "mgmt-ip": [{"value": chassis["mgmt-ip"]}], "capability": chassis["capability"],
                }],
                "port": [{"id": [port["id"]], "descr": [{"value": port["descr"]}], "ttl": [{"value": port["ttl"]}]}],
            })  # fmt: skip
    return found
