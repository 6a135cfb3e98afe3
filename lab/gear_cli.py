"""What the prompt of an IOS-XE switch prints (Cisco IOS-XE command reference: show version, inventory, lldp)."""

from __future__ import annotations

from lab.description import Device, Site


def replies(site: Site, device: Device) -> dict[str, str]:
    """By command."""
    return {"show version": _version(device), "show inventory": _inventory(device),
            "show lldp neighbors": _neighbours(site, device)}  # fmt: skip


def _version(device: Device) -> str:
    head = device.sys_descr.replace("\r\n", "\n")
    rows = "\n".join(
        f"{'*' if unit.role == 'active' else ' '}    {unit.number} {len(device.ports):<6} {unit.model:<18} "
        f"{device.version:<17} CAT9K_IOSXE  INSTALL"
        for unit in device.units
    )
    return (
        f"{head}\n\n{device.name} uptime is 14 weeks, 2 days, 3 hours, 12 minutes\n\n"
        f"Base Ethernet MAC Address          : {device.base_mac}\nModel Number                       : {device.model}\n"
        f"System Serial Number               : {device.serial}\n\n"
        f"Switch Ports Model              SW Version        SW Image              Mode\n"
        f"------ ----- -----              ----------        ----------            ----\n{rows}\n\n"
        "Configuration register is 0x102\n\n"
    )


def _inventory(device: Device) -> str:
    return "".join(
        f'NAME: "Switch {unit.number}", DESCR: "{unit.model}"\n'
        f"PID: {unit.model:<18} , VID: V01  , SN: {unit.serial}\n\n"
        for unit in device.units
    )


def _neighbours(site: Site, device: Device) -> str:
    rows = [
        f"{site.device(far).sys_name[:20]:<20}{own:<15}{120:<11}{_letters(site.device(far)):<16}{far_port}"
        for own, far, far_port, cable in site.cables_of(device.id)
        if cable.seen == "lldp" and site.device(far).lldp
    ]
    return (
        "Capability codes:\n    (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device\n\n"
        "Device ID           Local Intf     Hold-time  Capability      Port ID\n"
        + "\n".join(rows)
        + f"\n\nTotal entries displayed: {len(rows)}\n\n"
    )


def _letters(device: Device) -> str:
    return ",".join(letter for name, letter in (("router", "R"), ("bridge", "B")) if name in device.capabilities)
