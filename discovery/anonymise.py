"""Swaps what tells devices and people apart for stable stand-ins.

The same serial, name, address or MAC becomes the same stand-in in every recording made with the same key, so joins
between devices survive; without the key nobody can try out which stand-in a known serial would get.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import replace

from discovery.device import short_name
from discovery.facts import (
    Address,
    Chassis,
    Disk,
    Fact,
    FcLogin,
    FcPort,
    Hardware,
    Interface,
    Learnt,
    Neighbour,
    OperatingSystem,
    PowerSupply,
    Resolved,
    System,
    Unit,
)
from discovery.transport.base import HostKey, Oid, Output, SnmpValue, Walk
from discovery.transport.replies import Replies, SshIdentity
from naming import find_label

_MAC = re.compile(r"(?<![0-9A-Fa-f:])[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}(?![0-9A-Fa-f:])")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_UNAME = re.compile(r"(?:Linux|FreeBSD|SunOS|HP-UX) (\S+) ")
"""How sysDescr of net-snmp begins: the system, then the host's name."""

_SHORTEST = 4
"""Shorter texts are left alone, names aside: a port called `1` stands everywhere."""


def anonymise(replies: Replies, facts: Iterable[Fact], key: bytes) -> Replies:
    """A copy of a recording with stand-ins. `facts` are what was collected from it: they know what is a name."""
    swap = StandIns(key)
    for fact in facts:
        swap.learn(fact)
    return Replies(
        gets={oid: swap.value(value) for oid, value in replies.gets.items()},
        walks={root: swap.walk(root, walk) for root, walk in replies.walks.items()},
        shell={line: swap.output(output) for line, output in replies.shell.items()},
        terminal={line: swap.output(output) for line, output in replies.terminal.items()},
        ssh=None if replies.ssh is None else SshIdentity(replies.ssh.banner, swap.host_key(replies.ssh.host_key)),
    )


class StandIns:
    """What is swapped for what: texts as they stand in replies, octets as they stand in values, IPv4 networks.

    Of an IPv4 address the last octet stays, so that neighbours stay neighbours.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._texts: dict[str, str] = {}
        self._octets: dict[bytes, bytes] = {}
        self._networks: dict[Oid, Oid] = {}

    def _digest(self, kind: str, value: str | bytes) -> bytes:
        octets = value.lower().encode() if isinstance(value, str) else value
        return hmac.new(self._key, kind.encode() + b"\0" + octets, hashlib.sha256).digest()

    def learn(self, fact: Fact) -> None:
        """Take in what one fact says about who this is."""
        match fact:
            case System():
                self._name(fact.name)
                if node := _UNAME.match(fact.description):
                    self._name(node[1])
                self._serial(fact.serial)
                self._text("asset", fact.asset_code, "asset-{}")
                self._text("contact", fact.contact, "contact-{}@example.net")
                if find_label(fact.location) is None:
                    self._text("location", fact.location, "location {}")
            case Unit(serial=serial) | PowerSupply(serial=serial):
                self._serial(serial)
            case Disk():
                self._wwn(fact.wwn)  # first: some arrays give a volume's name as its serial, too
                self._serial(fact.serial)
            case Hardware():
                self._serial(fact.serial)
                digits = self._digest("uuid", fact.uuid).hex()
                self._put(fact.uuid, "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32])))
            case OperatingSystem():
                self._name(fact.hostname)
                self._put(fact.machine_id, self._digest("machine", fact.machine_id).hex()[:32])
            case Neighbour():
                self._name(fact.name)
                self._mac(fact.chassis_mac)
                self._mac(fact.port)
                for address in fact.addresses:
                    self._address(address)
            case Interface():
                self._text("alias", fact.alias, "alias {}")
                self._mac(fact.mac)
                self._mac(fact.in_use)
                self._wwn(fact.wwn)
            case Chassis(mac=mac) | Learnt(mac=mac):
                self._mac(mac)
            case Resolved():
                self._mac(fact.mac)
                self._address(fact.address)
            case Address():
                self._address(fact.address)
            case FcPort() | FcLogin():
                self._wwn(fact.wwpn)
                self._wwn(fact.wwnn)
            case _:
                pass

    def _put(self, text: str, stand_in: str) -> None:
        if text:
            self._texts.setdefault(text, stand_in)

    def _text(self, kind: str, text: str, pattern: str) -> None:
        if len(text) >= _SHORTEST:
            self._put(text, pattern.format(self._digest(kind, text).hex()[:6]))

    def _serial(self, serial: str) -> None:
        """What several words or one repeated character make is no serial but a placeholder, and has to stay one."""
        if len(serial) >= _SHORTEST and " " not in serial and len(set(serial)) > 1:
            self._put(serial, "SN" + self._digest("serial", serial).hex()[:10].upper())

    def _name(self, name: str) -> None:
        """A name with and without its domain: both stand in replies."""
        short = short_name(name)
        if short:
            stand_in = "host-" + self._digest("name", short).hex()[:6]
            self._put(name, f"{stand_in}.example.net" if "." in name else stand_in)
            self._put(name.partition(".")[0], stand_in)

    def _mac(self, mac: str) -> None:
        """The maker's part stays: it tells what sort of thing this is, and nobody apart."""
        if _MAC.fullmatch(mac) and mac not in {"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"}:
            raw = bytes.fromhex(mac.replace(":", ""))
            self._octets.setdefault(raw, raw[:3] + self._digest("mac", raw)[:3])

    def _wwn(self, wwn: str) -> None:
        digits = wwn if len(wwn) % 2 == 0 else ""
        if len(digits) >= 16:
            stand_in = digits[:6] + self._digest("wwn", digits).hex()[: len(digits) - 6]
            self._put(digits, stand_in[: len(digits)])
            self._octets.setdefault(bytes.fromhex(digits), bytes.fromhex(stand_in[: len(digits)]))

    def _address(self, address: str) -> None:
        parts = ipaddress.ip_address(address)
        if parts.version == 4 and not parts.is_loopback:
            network = tuple(parts.packed[:3])
            first, second = self._digest("network", bytes(network))[:2]
            self._networks.setdefault(network, (10, first, second))
        elif parts.version == 6:
            self._put(address, str(ipaddress.IPv6Address(b"\x20\x01\x0d\xb8" + self._digest("ipv6", address)[:12])))

    def _printed(self, text: str) -> None:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:  # a version, or a mask with too much in it
            return
        if not (address.is_loopback or address.is_multicast or address.is_reserved or address.is_unspecified):
            self._address(text)

    def text(self, text: str) -> str:
        """Swap in a text: longest first, so that no name is swapped inside a longer one."""
        for known in sorted(self._texts, key=len, reverse=True):
            bounded = rf"(?<![0-9A-Za-z])((?:0x)?){re.escape(known)}(?![0-9A-Za-z])"
            safe = self._texts[known].replace("\\", r"\\")
            text = re.sub(bounded, rf"\g<1>{safe}", text, flags=re.IGNORECASE)
        text = _MAC.sub(self._swapped_mac, text)
        return _IPV4.sub(self._swapped_address, text)

    def _swapped_mac(self, match: re.Match[str]) -> str:
        raw = bytes.fromhex(match[0].replace(":", ""))
        return ":".join(f"{octet:02x}" for octet in self._octets.get(raw, raw))

    def _swapped_address(self, match: re.Match[str]) -> str:
        arcs = tuple(int(part) for part in match[0].split("."))
        return ".".join(str(arc) for arc in self._arcs(arcs))

    def _arcs(self, arcs: Oid) -> Oid:
        """Swap addresses and MACs among the arcs of an OID."""
        found: list[int] = []
        at = 0
        while at < len(arcs):
            mac = arcs[at : at + 6]
            if len(mac) == 6 and all(arc < 256 for arc in mac) and bytes(mac) in self._octets:
                found += self._octets[bytes(mac)]
                at += 6
            elif at + 4 <= len(arcs) and arcs[at : at + 3] in self._networks:
                found += self._networks[arcs[at : at + 3]]
                at += 3
            else:
                found.append(arcs[at])
                at += 1
        return tuple(found)

    def value(self, value: SnmpValue) -> SnmpValue:
        """Swap in a value of SNMP: octets whole, or padded, or as text."""
        match value:
            case int():
                return value
            case tuple():
                return self._arcs(value)
            case _:
                pass
        for known, stand_in in self._octets.items():
            if value.startswith(known) and not value[len(known) :].strip(b"\0"):
                return stand_in + value[len(known) :]
        if len(value) == 4 and tuple(value[:3]) in self._networks:
            return bytes(self._networks[tuple(value[:3])]) + value[3:]
        try:
            return self.text(value.decode("utf-8")).encode()
        except UnicodeDecodeError:
            return value

    def walk(self, root: Oid, walk: Walk) -> Walk:
        """Swap in indexes and values. The rows stay in the order of an agent."""
        rows = sorted((root + self._arcs(oid[len(root) :]), self.value(value)) for oid, value in walk.rows)
        return replace(walk, rows=tuple(rows))

    def output(self, output: Output) -> Output:
        """Swap in what a command printed, and each address there, be it a fact or not: a reply may have been denied."""
        for address in _IPV4.findall(output.text):
            self._printed(address)
        for mac in _MAC.findall(output.text):
            self._mac(mac.lower())
        return replace(output, stdout=self.text(output.text).encode(), stderr=b"")

    def host_key(self, key: HostKey) -> HostKey:
        """A key of the same kind that nobody has."""
        return HostKey(key.kind, self._digest("host key", key.blob))
