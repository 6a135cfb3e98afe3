r"""Raw replies as they are kept: the collector writes them section by section, a replay reads them in a device's place.

One section of one address is a JSON document with `space`, `address`, `section` and its `replies`, in the order they
were asked for:

    {"get": ["1.3.6.1.2.1.1.5.0"], "rows": [["1.3.6.1.2.1.1.5.0", {"octets": "737731"}]]}
    {"walk": "1.3.6.1.2.1.2.2.1.2", "rows": [], "cut": "cut short after 200000 rows"}
    {"walk": "1.3.6.1.2.1.4.34.1.3", "rows": [], "error": "it did not answer", "kind": "silent"}
    {"run": "hostname", "code": 0, "stdout": "web1\n", "stderr": ""}

Integers are integers, OIDs `{"oid": "1.3.6.1"}`, octets `{"octets": HEX}`. `truncated`, `timed_out` and `denied` stand
in a command's reply where they are true.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from discovery.transport.base import (
    Command,
    Oid,
    Output,
    Silent,
    SnmpValue,
    TimedOut,
    TransportError,
    Walk,
    format_oid,
    parse_oid,
)

Raw: TypeAlias = Mapping[str, Any]
"""One reply, as JSON."""

_FLAGS: Final = ("truncated", "timed_out", "denied")
_KINDS: Final[Mapping[str, type[TransportError]]] = {
    "silent": Silent, "timed_out": TimedOut, "other": TransportError,
}  # fmt: skip


_SAID: Final = {"truncated": "it said more than may be read", "timed_out": "it did not end in time",
                "denied": "it needs root, which was not given"}  # fmt: skip


class NotReadable(ValueError):
    """What is kept is no section of replies; says why."""


def got(oids: Iterable[Oid], rows: Sequence[tuple[Oid, SnmpValue]], error: TransportError | None = None) -> Raw:
    """The reply to a get."""
    return {"get": [format_oid(oid) for oid in oids], "rows": _rows_out(rows), **_error_out(error)}


def walked(root: Oid, walk: Walk | None, error: TransportError | None = None) -> Raw:
    """The reply to a walk; None where an error came in its place."""
    rows = _rows_out(walk.rows) if walk is not None else []
    cut = {"cut": walk.reason} if walk is not None and not walk.complete else {}
    return {"walk": format_oid(root), "rows": rows, **cut, **_error_out(error)}


def ran(command: str, output: Output | None, error: TransportError | None = None) -> Raw:
    """The reply to a command."""
    if output is None:
        return {"run": command, **_error_out(error)}
    flags = {flag: True for flag in _FLAGS if getattr(output, flag)}
    stderr = output.stderr.decode("utf-8", "replace")
    return {"run": command, "code": output.code, "stdout": output.text, "stderr": stderr, **flags}


def section_out(space: str, address: str, section: str, replies: Iterable[Raw]) -> bytes:
    """One spelling for equal content, so that equal replies have one hash."""
    document = {"space": space, "address": address, "section": section, "replies": list(replies)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class KeptSection:
    """What one address said for one section."""

    space: str
    address: str
    section: str
    replies: tuple[Raw, ...]

    @property
    def asked(self) -> tuple[str, ...]:
        """What it was asked for: `get OID`, `walk OID`, or a command."""
        found: list[str] = []
        for raw in self.replies:
            if "run" in raw:
                found.append(raw["run"])
            else:
                found += [f"get {oid}" for oid in raw["get"]] if "get" in raw else [f"walk {raw['walk']}"]
        return tuple(found)


def section_in(content: bytes) -> KeptSection:
    """Read what `section_out` wrote. Raises NotReadable."""
    try:
        document = json.loads(content)
        replies = tuple(document["replies"])
        for raw in replies:
            if raw.keys().isdisjoint({"get", "walk", "run"}):
                raise NotReadable(f"a reply to nothing: {sorted(raw)}")
        return KeptSection(document["space"], document["address"], document["section"], replies)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotReadable(f"this is no section of replies: {error}") from error


@dataclass(frozen=True, slots=True)
class Readable:
    """A reply for people: what was asked, the rows of SNMP (object, value), what a command wrote, and what went wrong.

    `code` is the return code of a command; None where it never ended, and for SNMP.
    """

    asked: str
    rows: tuple[tuple[str, str], ...] = ()
    stdout: str = ""
    stderr: str = ""
    code: int | None = None
    problem: str | None = None


def readable(raw: Raw) -> Readable:
    """A reply as text."""
    wrong = [raw[name] for name in ("error", "cut") if raw.get(name)]
    if "run" in raw:
        wrong += [_SAID[flag] for flag in _FLAGS if raw.get(flag)]
        return Readable(
            raw["run"], (), raw.get("stdout", ""), raw.get("stderr", ""), raw.get("code"), "; ".join(wrong) or None
        )
    asked = f"get {' '.join(raw['get'])}" if "get" in raw else f"walk {raw['walk']}"
    rows = tuple((format_oid(oid), _value_text(value)) for oid, value in rows_of(raw))
    return Readable(asked, rows, problem="; ".join(wrong) or None)


def _value_text(value: SnmpValue) -> str:
    """Text in quotation marks, other octets in hexadecimal digits, OIDs with a leading dot, numbers as they are."""
    match value:
        case int():
            return str(value)
        case tuple():
            return f".{format_oid(value)}"
        case _:
            pass
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex(":")
    if all(char.isprintable() or char in "\r\n\t" for char in text):
        return json.dumps(text, ensure_ascii=False)
    return value.hex(":")


def rows_of(raw: Raw) -> list[tuple[Oid, SnmpValue]]:
    """The variable bindings of a get or walk."""
    return [(parse_oid(oid), _value_in(value)) for oid, value in raw["rows"]]


@dataclass(slots=True)
class KeptReplies:
    """All that one address said in one visit: an Snmp and a Shell in the device's place, which ask nobody."""

    asked: set[Oid] = field(default_factory=set)
    values: dict[Oid, SnmpValue] = field(default_factory=dict)
    walks: dict[Oid, Walk] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    get_errors: dict[tuple[Oid, ...], TransportError] = field(default_factory=dict)
    walk_errors: dict[Oid, TransportError] = field(default_factory=dict)
    run_errors: dict[str, TransportError] = field(default_factory=dict)

    @classmethod
    def of(cls, sections: Iterable[KeptSection]) -> KeptReplies:
        found = cls()
        for section in sections:
            for raw in section.replies:
                found._take(raw)
        return found

    def _take(self, raw: Raw) -> None:
        error = _error_in(raw)
        if "get" in raw:
            oids = tuple(parse_oid(oid) for oid in raw["get"])
            self.asked.update(oids)
            self.values.update(rows_of(raw))
            if error is not None:
                self.get_errors[oids] = error
        elif "walk" in raw:
            root = parse_oid(raw["walk"])
            if error is not None:
                self.walk_errors[root] = error
            else:
                self.walks[root] = Walk(tuple(rows_of(raw)), complete="cut" not in raw, reason=raw.get("cut"))
        elif error is not None:
            self.run_errors[raw["run"]] = error
        else:
            flags = {flag: raw.get(flag, False) for flag in _FLAGS}
            self.outputs[raw["run"]] = Output(raw["stdout"].encode(), raw["stderr"].encode(), raw["code"], **flags)

    # What was asked then

    def knows_object(self, oid: Oid) -> bool:
        return oid in self.asked or self._around(oid) is not None

    def knows_root(self, root: Oid) -> bool:
        return root in self.walks or root in self.walk_errors or self._around(root) is not None

    def knows_command(self, command: str) -> bool:
        return command in self.outputs or command in self.run_errors

    def _around(self, oid: Oid) -> Walk | None:
        """A whole walk in which this would have shown."""
        roots = (oid[:length] for length in range(len(oid), 0, -1))
        return next((self.walks[root] for root in roots if root in self.walks and self.walks[root].complete), None)

    # discovery.transport.base.Snmp and Shell

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        wanted = tuple(oids)
        if (error := self.get_errors.get(wanted)) is not None:
            raise error
        return {oid: value for oid in wanted if (value := self._object(oid)) is not None}

    def _object(self, oid: Oid) -> SnmpValue | None:
        if oid in self.asked:
            return self.values.get(oid)
        around = self._around(oid)
        return None if around is None else next((value for at, value in around.rows if at == oid), None)

    def walk(self, root: Oid) -> Walk:
        if (error := self.walk_errors.get(root)) is not None:
            raise error
        if root in self.walks:
            return self.walks[root]
        around = self._around(root)
        rows = () if around is None else around.rows
        return Walk(tuple((oid, value) for oid, value in rows if oid[: len(root)] == root))

    def run(self, commands: Sequence[Command]) -> dict[str, Output]:
        for command in commands:
            if (error := self.run_errors.get(command.text)) is not None:
                raise error
        return {command.name: self.outputs[command.text] for command in commands}

    def close(self) -> None:
        """Nothing is held."""


def _rows_out(rows: Iterable[tuple[Oid, SnmpValue]]) -> list[list[Any]]:
    return [[format_oid(oid), _value_out(value)] for oid, value in rows]


def _value_out(value: SnmpValue) -> Any:
    match value:
        case bytes():
            return {"octets": value.hex()}
        case int():
            return value
        case _:
            return {"oid": format_oid(value)}


def _value_in(value: Any) -> SnmpValue:
    match value:
        case {"octets": str(digits)}:
            return bytes.fromhex(digits)
        case {"oid": str(oid)}:
            return parse_oid(oid)
        case int():
            return value
        case _:
            raise NotReadable(f"{value!r} is no value of SNMP")


def _error_out(error: TransportError | None) -> Raw:
    if error is None:
        return {}
    kind = next(name for name, cls in _KINDS.items() if isinstance(error, cls))
    return {"error": str(error), "kind": kind}


def _error_in(raw: Raw) -> TransportError | None:
    return _KINDS.get(raw["kind"], TransportError)(raw["error"]) if "error" in raw else None
