"""iproute2: `ip -json -details address show`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from discovery.facts import Address, Interface, ParseError

_KINDS = {  # info_kind of ip-link(8)
    "bond": "lag", "team": "lag", "vlan": "vlan", "bridge": "software", "veth": "ephemeral", "macvlan": "software",
    "macvtap": "ephemeral", "ipvlan": "software", "dummy": "software", "ifb": "software", "tun": "ephemeral",
    "vxlan": "tunnel", "geneve": "tunnel", "gre": "tunnel", "gretap": "tunnel", "ip6gre": "tunnel",
    "ip6tnl": "tunnel", "ipip": "tunnel",
    "sit": "tunnel", "vti": "tunnel", "wireguard": "tunnel", "xfrm": "tunnel", "nlmon": "other", "vrf": "software",
    "openvswitch": "software",
}  # fmt: skip
_LINK_TYPES = {
    "ether": "ethernet", "loopback": "loopback", "infiniband": "other", "none": "tunnel", "tunnel": "tunnel",
    "tunnel6": "tunnel", "sit": "tunnel", "gre": "tunnel", "ipip": "tunnel", "ppp": "tunnel",
}  # fmt: skip
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def addresses(text: str) -> Iterator[Interface | Address]:
    """Yield each link, and the addresses of scope global on it.

    A slave of a bond shows the bond's MAC; what is burnt in stands in `permaddr`, or in the bond's data of the slave.
    """
    if not text.strip():
        return
    try:
        links = json.loads(text)
    except ValueError as error:
        raise ParseError("not the JSON of ip") from error
    if not isinstance(links, list) or not all(isinstance(link, dict) for link in links):
        raise ParseError("not a list of links")
    for link in links:
        if not link:  # iproute2 before 5.x prints {} for what a filter left out
            continue
        if not isinstance(link.get("ifname"), str):
            raise ParseError(f"a link without a name: {str(link)[:80]}")
        yield _interface(link)
        for info in link.get("addr_info", []):
            if info.get("scope") == "global" and isinstance(info.get("local"), str):
                yield Address(info["local"], info.get("prefixlen"), link["ifname"])


def _interface(link: Mapping[str, object]) -> Interface:
    info = link.get("linkinfo")
    details: Mapping[str, object] = info if isinstance(info, dict) else {}
    slave = details.get("info_slave_data")
    burnt_in = _mac(link.get("permaddr")) or (_mac(slave.get("perm_hwaddr")) if isinstance(slave, dict) else "")
    in_use = _mac(link.get("address"))
    flags, state, index = link.get("flags"), link.get("operstate"), link.get("ifindex")
    return Interface(
        name=str(link["ifname"]),
        kind=_KINDS.get(str(details.get("info_kind", ""))) or _LINK_TYPES.get(str(link.get("link_type")), "other"),
        index=index if isinstance(index, int) else None,
        mac=burnt_in or in_use,
        in_use=in_use,
        alias=str(link.get("ifalias", "")),
        admin_up="UP" in flags if isinstance(flags, list) else None,
        oper_up={"UP": True, "DOWN": False, "LOWERLAYERDOWN": False}.get(str(state)),
    )


def _mac(value: object) -> str:
    spelt = str(value).lower()
    return spelt if _MAC.fullmatch(spelt) and spelt != "00:00:00:00:00:00" else ""
