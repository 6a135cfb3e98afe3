"""What stands in /etc, /proc and /sys of a Linux host."""

from __future__ import annotations

from lab.description import Device, IfType, Linux, Port

DISTRIBUTIONS = {
    "debian12": (
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n'
        'VERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL="https://www.debian.org/"\n'
    ),
    "rocky9": (
        'NAME="Rocky Linux"\nVERSION="9.4 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
        'PLATFORM_ID="platform:el9"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\nANSI_COLOR="0;32"\n'
    ),
    "ubuntu2204": (
        'PRETTY_NAME="Ubuntu 22.04.4 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nVERSION="22.04.4 LTS (Jammy Jellyfish)"\n'
        "VERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n"
    ),
}
"""/etc/os-release (freedesktop.org, os-release(5)) of the distributions in use."""

CPUS = 16
MEMORY_KIB = 131_072_000


def pretty_name(linux: Linux) -> str:
    """What the distribution calls itself."""
    line = next(line for line in DISTRIBUTIONS[linux.distribution].splitlines() if line.startswith("PRETTY_NAME="))
    return line.partition("=")[2].strip('"')


def public(device: Device, linux: Linux) -> dict[str, str]:
    """World-readable files."""
    found = {
        "/etc/os-release": DISTRIBUTIONS[linux.distribution],
        "/etc/hostname": f"{device.name}\n",
        "/etc/machine-id": f"{linux.machine_id}\n",
        "/proc/sys/kernel/hostname": f"{device.name}\n",
        "/proc/sys/kernel/osrelease": f"{linux.kernel}\n",
        "/proc/uptime": "8640000.12 130000000.00\n",
        "/proc/meminfo": f"MemTotal:       {MEMORY_KIB} kB\nMemFree:        90112000 kB\n",
        "/proc/cpuinfo": "".join(
            f"processor\t: {number}\nvendor_id\t: GenuineIntel\n"
            "model name\t: Intel(R) Xeon(R) Gold 5317 CPU @ 3.00GHz\n"
            f"physical id\t: {number // 8}\ncore id\t\t: {number % 8}\ncpu cores\t: 8\n\n"
            for number in range(CPUS)
        ),
        "/sys/class/dmi/id/sys_vendor": f"{linux.vendor}\n",
        "/sys/class/dmi/id/product_name": f"{device.model}\n",
        "/sys/class/dmi/id/product_family": "PowerEdge\n" if linux.vendor.startswith("Dell") else "\n",
        "/sys/class/dmi/id/board_vendor": f"{linux.vendor}\n",
        "/sys/class/dmi/id/chassis_type": "23\n",
        "/sys/class/dmi/id/bios_vendor": f"{linux.vendor}\n",
        "/sys/class/dmi/id/bios_version": f"{linux.bios}\n",
    }
    for port in device.ports:
        if port.type != IfType.FIBRE_CHANNEL:
            found |= _net(port)
    for number, port in enumerate((port for port in device.ports if port.wwpn), start=1):
        found |= _fc_host(port, f"/sys/class/fc_host/host{number}")
    return found


def _net(port: Port) -> dict[str, str]:
    node = f"/sys/class/net/{port.name}"
    return {
        f"{node}/address": f"{port.mac or '00:00:00:00:00:00'}\n",
        f"{node}/operstate": "unknown\n" if port.type == IfType.LOOPBACK else "up\n",
        f"{node}/ifindex": f"{port.index}\n",
        f"{node}/speed": "" if port.type == IfType.LOOPBACK else f"{port.speed_mbps}\n",
    }


def _fc_host(port: Port, node: str) -> dict[str, str]:
    wwpn = port.wwpn or ""
    return {
        f"{node}/port_name": f"0x{wwpn}\n",
        f"{node}/node_name": f"0x20{wwpn[2:]}\n",
        f"{node}/port_state": "Online\n",
        f"{node}/port_type": "NPort (fabric via point-to-point)\n",
        f"{node}/speed": f"{port.speed_mbps // 1000} Gbit\n",
        f"{node}/symbolic_name": "Emulex LPe31002-M6 FV12.8.614.31 DV14.0.0.4\n",
    }


def private(device: Device, linux: Linux) -> dict[str, str]:
    """Files with mode 0400: what firmware says that could tell machines apart."""
    serial = linux.product_serial or ""
    return {
        "/sys/class/dmi/id/product_serial": f"{serial}\n",
        "/sys/class/dmi/id/chassis_serial": f"{serial}\n",
        "/sys/class/dmi/id/board_serial": f".{serial}.BOARD0{device.address[-2:] if device.address else '00'}.\n",
        "/sys/class/dmi/id/product_uuid": f"{linux.uuid}\n",
    }
