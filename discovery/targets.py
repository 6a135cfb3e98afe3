"""What to scan: networks, ranges, hosts and names, less exclusions, in one address space; and where each is dialled."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cmdb.model import DEFAULT_SPACE
from discovery.transport.base import Endpoint

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver: TypeAlias = Callable[[str], Sequence[str]]

MANY = 65_536
"""More addresses than this want to be confirmed: a mistyped prefix length is a scan of somebody else's network."""

_SNMP, _SSH = 161, 22


class TargetError(ValueError):
    """A target that cannot be read, or that is too much at once; the text says which, and what would be right."""


@dataclass(frozen=True, slots=True)
class Target:
    """One address of the site, and the ports to try there."""

    address: str
    snmp_port: int = _SNMP
    ssh_port: int = _SSH


@dataclass(frozen=True, slots=True)
class AddressMap:
    """Where the site's networks are dialled: pairs of networks of one size. The most specific one counts."""

    pairs: tuple[tuple[Network, Network], ...] = ()

    @classmethod
    def read(cls, texts: Iterable[str]) -> AddressMap:
        """Read `10.210.0.0/16=127.210.0.0/16` texts."""
        pairs: list[tuple[Network, Network]] = []
        for text in texts:
            site, sign, dialled = text.partition("=")
            if not sign:
                raise TargetError(f"{text!r} is no address map; write SITE/PREFIX=DIALLED/PREFIX")
            try:
                pair = ipaddress.ip_network(site.strip()), ipaddress.ip_network(dialled.strip())
            except ValueError as error:
                raise TargetError(f"{text!r}: {error}") from None
            if pair[0].version != pair[1].version or pair[0].prefixlen != pair[1].prefixlen:
                raise TargetError(f"{text!r}: the two networks must have one size")
            pairs.append(pair)
        return cls(tuple(sorted(pairs, key=lambda pair: -pair[0].prefixlen)))

    def dialled(self, address: str) -> str:
        """The address to dial; itself where no network of the map holds it."""
        site = ipaddress.ip_address(address)
        for network, other in self.pairs:
            if site.version == network.version and site in network:
                return str(other.network_address + (int(site) - int(network.network_address)))
        return address


@dataclass(frozen=True, slots=True)
class _Span:
    """Addresses from first to last, of one version, with the ports to try."""

    version: int
    first: int
    last: int
    snmp_port: int
    ssh_port: int


@dataclass(frozen=True, slots=True)
class Targets:
    """The addresses of one scan in one address space. Iterating is lazy: a /8 takes no memory."""

    space: str
    spans: tuple[_Span, ...]
    address_map: AddressMap = AddressMap()
    covered: tuple[tuple[int, int, int], ...] = ()
    """(version, first, last) of what was asked for, with the network and broadcast addresses of whole networks."""

    def __len__(self) -> int:
        return sum(span.last - span.first + 1 for span in self.spans)

    def __iter__(self) -> Iterator[Target]:
        for span in self.spans:
            for number in range(span.first, span.last + 1):
                yield Target(str(_address(span.version, number)), span.snmp_port, span.ssh_port)

    @property
    def networks(self) -> tuple[str, ...]:
        """What is covered, as the fewest networks."""
        found: list[str] = []
        for version in (4, 6):
            for first, last in _joined(sorted((a, b) for kind, a, b in self.covered if kind == version)):
                ends = _address(version, first), _address(version, last)
                found += [str(network) for network in ipaddress.summarize_address_range(*ends)]
        return tuple(found)

    def endpoint(self, address: str, port: int) -> Endpoint:
        """Where a port of a site's address is dialled."""
        return Endpoint(self.address_map.dialled(address), port)


def resolve(name: str) -> Sequence[str]:
    """The addresses of a name, by the system's resolver."""
    try:
        rows = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


def read_targets(
    texts: Iterable[str],
    *,
    exclude: Iterable[str] = (),
    space: str = DEFAULT_SPACE,
    snmp_port: int = _SNMP,
    ssh_port: int = _SSH,
    address_map: AddressMap | None = None,
    confirmed: bool = False,
    resolver: Resolver = resolve,
) -> Targets:
    """Read targets as people write them. Raises TargetError.

    `10.0.0.0/24` (without its network and broadcast addresses), `10.0.0.1-9`, `10.0.0.1-10.0.0.9`, `10.0.0.1`, a name,
    and `HOST:PORT` (`[fe80::1]:PORT`), which means this port for both protocols. `confirmed`: more than
    `MANY` is meant.
    """
    for port in (snmp_port, ssh_port):
        _check_port(port, str(port))
    wanted: list[_Span] = []
    covered: list[_Span] = []
    for text in texts:
        host, own = _split_port(text.strip())
        ports = (snmp_port, ssh_port) if own is None else (own, own)
        wanted += [_Span(*span, *ports) for span in _spans(host, resolver)]
        covered += [_Span(*span, *ports) for span in _spans(host, resolver, whole=True)]
    if not wanted:
        raise TargetError("nothing to scan: give a network, a range, an address or a name")
    barred = [span for text in exclude for span in _spans(text.strip(), resolver, whole=True)]
    cut = _less(_merged(covered), barred)
    targets = Targets(
        space, tuple(_less(_merged(wanted), barred)), address_map or AddressMap(),
        tuple((span.version, span.first, span.last) for span in cut),
    )  # fmt: skip
    count = sum(span.last - span.first + 1 for span in targets.spans)
    if count > MANY and not confirmed:
        raise TargetError(
            f"that is {count:,} addresses; confirm with --yes that so many are meant (more than {MANY:,})"
        )
    return targets


def _split_port(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, sign, rest = text[1:].partition("]")
        if not sign or not (rest == "" or rest.startswith(":")):
            raise TargetError(f"{text!r}: an address in brackets is written [ADDRESS]:PORT")
        return host, _check_port(rest[1:], text) if rest else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, _check_port(port, text)
    return text, None


def _check_port(port: str | int, text: str) -> int:
    if not str(port).isdigit() or not 0 < int(port) < 65536:
        raise TargetError(f"{text!r}: a port is a number from 1 to 65535")
    return int(port)


def _spans(text: str, resolver: Resolver, *, whole: bool = False) -> list[tuple[int, int, int]]:
    """(version, first, last) of what a text means. `whole`: with the network and broadcast addresses."""
    if "/" in text:
        return [_network_span(text, whole=whole)]
    first, dash, last = text.partition("-")
    if dash and _is_address(first.strip()):
        return [_range_span(text, first.strip(), last.strip())]
    found = [text] if _is_address(text) else resolver(text) if _may_be_a_name(text) else ()
    if not found:
        raise TargetError(f"{text!r} is no address, network or range, and no name that can be resolved")
    addresses = [ipaddress.ip_address(address) for address in found]
    # A name with an A and an AAAA record is one host: it is scanned once, by the older of the two.
    first_version = min(address.version for address in addresses)
    address = next(address for address in addresses if address.version == first_version)
    return [(int(address.version), int(address), int(address))]


def _network_span(text: str, *, whole: bool) -> tuple[int, int, int]:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        if "host bits" in str(error):
            near = ipaddress.ip_network(text, strict=False)
            raise TargetError(f"{text!r} is no network; did you mean {near}?") from None
        raise TargetError(f"{text!r} is no network: {error}") from None
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 4 and network.prefixlen < 31 and not whole:
        return 4, first + 1, last - 1
    return network.version, first, last


def _range_span(text: str, first: str, last: str) -> tuple[int, int, int]:
    low = ipaddress.ip_address(first)
    if last.isdigit() and low.version == 4:
        last = first.rpartition(".")[0] + "." + last
    if not _is_address(last):
        raise TargetError(f"{text!r}: {last!r} is no address to end a range with")
    high = ipaddress.ip_address(last)
    if low.version != high.version or int(high) < int(low):
        raise TargetError(f"{text!r}: a range goes from the lower address to the higher one")
    return low.version, int(low), int(high)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _may_be_a_name(text: str) -> bool:
    """Four numbers with dots are a mistyped address, not a name."""
    return bool(text) and not text.replace(".", "").isdigit() and " " not in text


def _address(version: int, number: int) -> IpAddress:
    return ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted spans, with those that meet made one."""
    found: list[tuple[int, int]] = []
    for first, last in spans:
        if found and found[-1][1] + 1 >= first:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    """Each address once for each pair of ports: behind one address that forwards them stand several devices."""
    found: list[_Span] = []
    for span in spans:
        ports = (span.snmp_port, span.ssh_port)
        same = [each for each in found if (each.snmp_port, each.ssh_port) == ports]
        found += _less([span], [(each.version, each.first, each.last) for each in same])
    return sorted(found, key=lambda span: (span.version, span.first, span.snmp_port))


def _less(spans: Iterable[_Span], barred: Iterable[tuple[int, int, int]]) -> list[_Span]:
    """Cut out what is barred."""
    left = list(spans)
    for version, first, last in barred:
        cut: list[_Span] = []
        for span in left:
            if span.version != version or last < span.first or span.last < first:
                cut.append(span)
                continue
            if span.first < first:
                cut.append(_Span(version, span.first, first - 1, span.snmp_port, span.ssh_port))
            if span.last > last:
                cut.append(_Span(version, last + 1, span.last, span.snmp_port, span.ssh_port))
        left = cut
    return left
