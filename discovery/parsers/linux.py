"""What a Linux host says of itself: kernel, distribution, names, firmware, processes, fibre-channel adapters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from discovery.facts import FcPort, Hardware, OperatingSystem, ParseError, Process

_HYPERVISORS = (
    # sys_vendor, product_name of /sys/class/dmi/id: as systemd-detect-virt(1) tells them
    (re.compile(r"QEMU|KVM|Red Hat.*(KVM|RHEV)|oVirt|OpenStack|DigitalOcean|Hetzner|Nutanix", re.IGNORECASE), "KVM"),
    (re.compile(r"VMware", re.IGNORECASE), "VMware"),
    (re.compile(r"Microsoft Corporation.*Virtual Machine", re.IGNORECASE), "Hyper-V"),
    (re.compile(r"Xen", re.IGNORECASE), "Xen"),
    (re.compile(r"innotek|VirtualBox", re.IGNORECASE), "VirtualBox"),
    (re.compile(r"Parallels", re.IGNORECASE), "Parallels"),
    (re.compile(r"Amazon EC2(?!.*\.metal)", re.IGNORECASE), "Amazon EC2"),
    (re.compile(r"Google.*Compute Engine", re.IGNORECASE), "Google Compute Engine"),
    (re.compile(r"BHYVE", re.IGNORECASE), "bhyve"),
)
_SYSFS_LINE = re.compile(r"(?P<path>/sys/class/[^:]+):(?P<value>.*)")
_GIGABITS = re.compile(r"(\d+)\s*Gbit", re.IGNORECASE)


def uname(text: str) -> Iterator[OperatingSystem]:
    """Read `uname -srm`: `Linux 6.1.0-18-amd64 x86_64`."""
    words = text.split()
    if not words:
        return
    if len(words) != 3:
        raise ParseError(f"not a line of uname -srm: {text.strip()[:80]!r}")
    yield OperatingSystem(kernel=f"{words[0]} {words[1]}", architecture=words[2])


def hostname(text: str) -> Iterator[OperatingSystem]:
    """Read `hostname`: one word."""
    name = text.strip()
    if not name:
        return
    if len(name.split()) != 1:
        raise ParseError(f"not a host name: {name[:80]!r}")
    yield OperatingSystem(hostname=name)


def os_release(text: str) -> Iterator[OperatingSystem]:
    """Read /etc/os-release (os-release(5)): assignments as a shell reads them.

    NAME="Debian GNU/Linux"
    VERSION_ID="12"
    PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
    """
    values: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, sign, value = line.partition("=")
        if not sign:
            raise ParseError(f"not an assignment of os-release: {line[:80]!r}")
        try:
            values[key.strip()] = " ".join(shlex.split(value))
        except ValueError as error:
            raise ParseError(f"a value of os-release without its closing quote: {line[:80]!r}") from error
    if values:
        name = values.get("NAME", "Linux")
        version = values.get("VERSION_ID", "")
        yield OperatingSystem(values.get("PRETTY_NAME", f"{name} {version}".strip()), name, version)


def machine_id(text: str) -> Iterator[OperatingSystem]:
    """Read /etc/machine-id (machine-id(5)): 32 hex digits; `uninitialized` and nothing say nothing."""
    value = text.strip().lower()
    if value in ("", "uninitialized"):
        return
    if not re.fullmatch(r"[0-9a-f]{32}", value):
        raise ParseError(f"not a machine id: {value[:80]!r}")
    yield OperatingSystem(machine_id=value)


def _sysfs(text: str) -> dict[str, str]:
    """Read `grep -H . FILES`: path and value a line."""
    values: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        match = _SYSFS_LINE.fullmatch(line)
        if match is None:
            raise ParseError(f"not a line of grep -H on /sys/class: {line[:80]!r}")
        values[match["path"]] = match["value"].strip()
    return values


def dmi(text: str) -> Iterator[Hardware]:
    """Read what everybody may see of /sys/class/dmi/id.

    /sys/class/dmi/id/sys_vendor:Dell Inc.
    /sys/class/dmi/id/product_name:PowerEdge R650
    """
    values = {path.rpartition("/")[2]: value for path, value in _sysfs(text).items()}
    vendor, model = values.get("sys_vendor", ""), values.get("product_name", "")
    if vendor or model:
        yield Hardware(vendor, model, hypervisor=_hypervisor(f"{vendor} {model}"))


def _hypervisor(described: str) -> str:
    return next((name for pattern, name in _HYPERVISORS if pattern.search(described)), "")


def product_serial(text: str) -> Iterator[Hardware]:
    """Read /sys/class/dmi/id/product_serial, which only root may."""
    if value := text.strip():
        yield Hardware(serial=value)


def product_uuid(text: str) -> Iterator[Hardware]:
    """Read /sys/class/dmi/id/product_uuid, which only root may."""
    value = text.strip().lower()
    if not value:
        return
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        raise ParseError(f"not a UUID: {value[:80]!r}")
    yield Hardware(uuid=value)


def processes(text: str) -> Iterator[Process]:
    """Read `ps -eo pid=,user=,comm=`; the command's name may hold blanks.

    812 root     nginx
    """
    for line in text.splitlines():
        words = line.split(None, 2)
        if not words:
            continue
        if len(words) < 2 or not words[0].isdigit():
            raise ParseError(f"not a line of ps: {line[:80]!r}")
        yield Process(int(words[0]), words[1], words[2].strip() if len(words) > 2 else "")


def fc_hosts(text: str) -> Iterator[FcPort]:
    """Read the names, speed and state of /sys/class/fc_host/host*.

    /sys/class/fc_host/host1/port_name:0x10000090fa060001
    /sys/class/fc_host/host1/speed:16 Gbit
    """
    hosts: dict[str, dict[str, str]] = {}
    for path, value in _sysfs(text).items():
        host, _, name = path.rpartition("/")
        hosts.setdefault(host, {})[name] = value
    for host, values in sorted(hosts.items()):
        if "port_name" not in values:
            raise ParseError(f"{host} has no port_name")
        port = _world_wide_name(values["port_name"])
        if not port:  # an adapter that was given no name: zeros, or ones
            continue
        speed = _GIGABITS.search(values.get("speed", ""))
        state = values.get("port_state", "")
        yield FcPort(
            port,
            wwnn=_world_wide_name(values.get("node_name", "")),
            speed=int(speed[1]) * 10**9 if speed else None,
            oper_up=state == "Online" if state else None,
        )


def _world_wide_name(value: str) -> str:
    digits = value.lower().removeprefix("0x")
    return digits if re.fullmatch(r"[0-9a-f]{16}", digits) and digits.strip("0f") else ""
