"""Look-up by anything: the handles a CI is found by, and the handles that a typed text may mean, spelt the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from cmdb.model import CI, Component, Value
from cmdb.store.base import Handle
from naming import FullCode, Label, LabelError

_LONGEST: Final = 255
"""Longer texts mean nothing: no identifier, label or host name (RFC 1035, 2.3.4) is longer."""

_CI_ID = re.compile(r"ci-[0-9]+")
_FINGERPRINT = re.compile(r"SHA256:[0-9A-Za-z+/]{43}=?")
# Octets with one separator throughout, a leading zero left out at will: net-snmp and Solaris print 0:1b:21:a:b:c.
_OCTETS = re.compile(r"[0-9a-f]{1,2}(?:([:. -])[0-9a-f]{1,2})(?:\1[0-9a-f]{1,2})*")
_GROUPS = re.compile(r"[0-9a-f]{4}(?:[.:-][0-9a-f]{4})+|[0-9a-f]{6}[:-][0-9a-f]{6}|[0-9a-f]+")
_HOST_NAME = re.compile(r"[0-9a-z_](?:[0-9a-z_-]*[0-9a-z_])?(?:\.[0-9a-z_](?:[0-9a-z_-]*[0-9a-z_])?)+\.?")
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")


def handles(ci: CI) -> frozenset[Handle]:
    """Everything that names this CI now; former labels and ids are the journal's, not the CI's.

    Its components' MACs, WWPNs, addresses and serials name it too: a part is looked up to find its owner.
    """
    return frozenset(
        [
            *_identifier_handles(ci),
            *_label_handles(ci),
            *_name_handles(ci),
            *(handle for component in ci.components for handle in _component_handles(component)),
        ]
    )


def meanings(text: str) -> tuple[Handle, ...]:
    """All that a text may mean, the most telling first; empty for a text that can name nothing."""
    text = unicodedata.normalize("NFKC", text).strip()
    if not text or len(text) > _LONGEST:
        return ()
    return tuple(dict.fromkeys(_meanings(text)))


def mac(text: str) -> str | None:
    """A MAC in any spelling (colons, hyphens, Cisco's dots, bare) as `aa:bb:cc:dd:ee:ff`; None where it is none."""
    digits = _hex_digits(text)
    return _by_colons(digits) if digits is not None and len(digits) == 12 else None


def wwn(text: str) -> str | None:
    """A WWN with or without separators, `0x` or `naa.` as 16 bare lower-case hex digits (32 for NAA 6); else None."""
    digits = _hex_digits(re.sub(r"^(?:0x|naa\.|wwn-0x|wwn\.)", "", text.strip().lower()))
    return digits if digits is not None and len(digits) in {16, 32} else None


def uuid(text: str) -> str | None:
    """A UUID in any case, with or without hyphens, braces or `urn:uuid:`, as lower case with hyphens; else None."""
    bare = text.strip().lower().removeprefix("urn:uuid:").removeprefix("{").removesuffix("}")
    if not _UUID.fullmatch(bare):
        return None
    digits = bare.replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def address(text: str) -> str | None:
    """An IPv4 or IPv6 address in its one spelling (RFC 5952), a prefix length or zone behind it dropped; else None."""
    bare = text.strip().partition("/")[0].partition("%")[0]
    try:
        return str(ip_address(bare))
    except ValueError:
        return None


def serial(text: str) -> str | None:
    """A serial in upper case, without outer spaces; None where nothing is left."""
    return text.strip().upper() or None


def name(text: str) -> str | None:
    """A name as it is compared: NFKC, one space for many, without regard to case; None where nothing is left."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold() or None


def label(text: str) -> str | None:
    """A label in its one spelling; None where it is none."""
    try:
        return str(Label.parse(text))
    except LabelError:
        return None


_SPELLINGS: Final = {
    "serial": serial,
    "uuid": uuid,
    "member_serial": serial,
    "wwn": wwn,
    "mac": mac,
    "address": address,
    "name": name,
    "label": label,
}


def _meanings(text: str) -> Iterator[Handle]:
    if spelt := label(text):
        yield Handle("label", spelt)
        yield Handle("former_label", spelt)
    if code := _full_code(text):
        # The sticker's owner and category may be out of date; the label inside it is what is unique.
        yield Handle("asset_code", str(code))
        yield Handle("label", str(code.label))
        yield Handle("former_label", str(code.label))
    if _CI_ID.fullmatch(text.lower()):
        yield Handle("former_id", text.lower())
    if _FINGERPRINT.fullmatch(text):
        yield Handle("host_key", text.removesuffix("="))
    for kind in ("uuid", "wwn", "mac", "address", "serial", "member_serial", "name"):
        yield from _spelt(kind, text)


def _identifier_handles(ci: CI) -> Iterator[Handle]:
    for scheme, value in ci.identifiers:
        if scheme == "host_key":
            yield Handle(scheme, value)
        else:
            yield from _spelt(scheme, value)


def _label_handles(ci: CI) -> Iterator[Handle]:
    if ci.label:
        yield from _spelt("label", ci.label)
    code = ci.attributes.get("asset_code")
    if isinstance(code, str):
        parsed = _full_code(code)
        if parsed is not None:
            yield Handle("asset_code", str(parsed))


def _name_handles(ci: CI) -> Iterator[Handle]:
    # What runs inside a host is not called by the host's name.
    for text in (ci.name, None if ci.owner is not None else ci.attributes.get("hostname")):
        if isinstance(text, str):
            yield from _spelt("name", text)
            yield from _short_name(text)


def _short_name(text: str) -> Iterator[Handle]:
    """The first part of a full host name; an address and a version number are no host names."""
    spelt = name(text)
    if spelt is not None and _HOST_NAME.fullmatch(spelt) and not spelt.replace(".", "").isdigit():
        yield Handle("name", spelt.partition(".")[0])


def _component_handles(component: Component) -> Iterator[Handle]:
    values = component.attributes
    match component.kind:
        case "interface":
            yield from _spelt("mac", values.get("mac"))
        case "address":
            yield from _spelt("address", values.get("address", component.name))
        case "fc_port":
            yield from _spelt("wwn", values.get("wwpn", component.name))
            yield from _spelt("wwn", values.get("wwnn"))
        case "disk":
            yield from _spelt("member_serial", values.get("serial"))
            yield from _spelt("wwn", values.get("wwn"))
        case "unit" | "power_supply":
            yield from _spelt("member_serial", values.get("serial"))


def _spelt(kind: str, text: Value | None) -> Iterator[Handle]:
    value = _SPELLINGS[kind](text) if isinstance(text, str) else None
    if value is not None:
        yield Handle(kind, value)


def _full_code(text: str) -> FullCode | None:
    try:
        return FullCode.parse(text)
    except LabelError:
        return None


def _hex_digits(text: str) -> str | None:
    """The digits of an octet string in any of the usual spellings, lower case, two an octet; None for anything else."""
    spelt = text.strip().lower()
    if octets := _OCTETS.fullmatch(spelt):
        return "".join(octet.zfill(2) for octet in spelt.split(octets[1]))
    return re.sub("[^0-9a-f]", "", spelt) if _GROUPS.fullmatch(spelt) else None


def _by_colons(digits: str) -> str:
    return ":".join(digits[place : place + 2] for place in range(0, len(digits), 2))
