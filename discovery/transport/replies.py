r"""Reads and writes recordings.

A recording is one `replies.yaml`: what was asked, and what came back.

    snmp:
      get: {1.3.6.1.2.1.1.5.0: sw1}
      walk:
        1.3.6.1.2.1.2.2.1.2: {1.3.6.1.2.1.2.2.1.2.1: Gi1}       # complete
        1.3.6.1.2.1.4.22: {rows: {…}, reason: cut short after …}  # partial
    shell:
      hostname: {stdout: "db1\n"}
      dmidecode -s system-serial-number: {stderr: "Permission denied\n", code: 1, denied: true}
    terminal:
      show version: {stdout: "…"}
    ssh: {banner: SSH-2.0-OpenSSH_9.2, host_key: {kind: ssh-ed25519, blob: {hex: 00ab}}}

Integers are integers, text is text, OIDs are `{oid: 1.3.6.1}`, and bytes that are no text are `{hex: 00ab}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

from discovery.transport.base import HostKey, Oid, Output, SnmpValue, Walk, format_oid, parse_oid

T = TypeVar("T")

_FLAGS = ("truncated", "timed_out", "denied")


class _Dumper(yaml.CSafeDumper):
    """Writes text of several lines as people read it."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.represent_text)


class RecordingError(ValueError):
    """A replies.yaml that cannot be read; says where."""


@dataclass(frozen=True, slots=True)
class SshIdentity:
    """What an SSH server shows of itself."""

    banner: str
    host_key: HostKey


@dataclass(slots=True)
class Replies:
    """A recording in memory."""

    gets: dict[Oid, SnmpValue] = field(default_factory=dict)
    walks: dict[Oid, Walk] = field(default_factory=dict)
    shell: dict[str, Output] = field(default_factory=dict)
    terminal: dict[str, Output] = field(default_factory=dict)
    ssh: SshIdentity | None = None

    @property
    def speaks_snmp(self) -> bool:
        return bool(self.gets or self.walks)

    @property
    def speaks_ssh(self) -> bool:
        return bool(self.shell or self.terminal or self.ssh)


def read_replies(text: str, where: str) -> Replies:
    """Read a `replies.yaml`; `where` is its name, for the errors. Raises RecordingError."""
    try:
        document = yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise RecordingError(f"{where}: not YAML: {error}") from error
    top = _mapping(document or {}, where, {"snmp", "shell", "terminal", "ssh"})
    snmp = _mapping(top.get("snmp", {}), f"{where}: snmp", {"get", "walk"})
    return Replies(
        _table(snmp.get("get", {}), f"{where}: snmp: get", _value),
        _table(snmp.get("walk", {}), f"{where}: snmp: walk", _walk),
        _lines(top.get("shell", {}), f"{where}: shell"),
        _lines(top.get("terminal", {}), f"{where}: terminal"),
        _identity(top["ssh"], f"{where}: ssh") if "ssh" in top else None,
    )


def write_replies(replies: Replies) -> str:
    """Write it so that reading gives it back."""
    document: dict[str, Any] = {}
    if replies.speaks_snmp:
        document["snmp"] = {
            "get": {format_oid(oid): _plain(value) for oid, value in replies.gets.items()},
            "walk": {format_oid(root): _plain_walk(walk) for root, walk in replies.walks.items()},
        }
    for name, lines in (("shell", replies.shell), ("terminal", replies.terminal)):
        if lines:
            document[name] = {line: _plain_output(output) for line, output in lines.items()}
    if replies.ssh is not None:
        key = replies.ssh.host_key
        document["ssh"] = {
            "banner": replies.ssh.banner,
            "host_key": {"kind": key.kind, "blob": {"hex": key.blob.hex()}},
        }
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def _mapping(value: object, where: str, keys: set[str] | None = None) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise RecordingError(f"{where}: expected a mapping, found {value!r}")
    if keys is not None and (unknown := set(value) - keys):
        raise RecordingError(f"{where}: unknown {', '.join(map(repr, unknown))}; known are {', '.join(sorted(keys))}")
    return value


def _table(value: object, where: str, read: Callable[[object, str], T]) -> dict[Oid, T]:
    return {_oid(key, where): read(entry, f"{where}: {key}") for key, entry in _mapping(value, where).items()}


def _oid(value: object, where: str) -> Oid:
    try:
        return parse_oid(str(value))
    except ValueError as error:
        raise RecordingError(f"{where}: {error}") from error


def _value(value: object, where: str) -> SnmpValue:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Mapping) and set(value) == {"oid"}:
        return _oid(value["oid"], where)
    return _bytes(value, where)


def _bytes(value: object, where: str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, Mapping) and set(value) == {"hex"}:
        try:
            return bytes.fromhex(str(value["hex"]))
        except ValueError as error:
            raise RecordingError(f"{where}: {error}") from error
    raise RecordingError(f"{where}: expected text, {{hex: …}}, or for SNMP a number or {{oid: …}}, found {value!r}")


def _walk(value: object, where: str) -> Walk:
    entries = _mapping(value, where)
    if set(entries) == {"rows", "reason"}:
        rows = _table(entries["rows"], where, _value)
        return Walk(tuple(rows.items()), complete=False, reason=str(entries["reason"]))
    return Walk(tuple(_table(entries, where, _value).items()))


def _lines(value: object, where: str) -> dict[str, Output]:
    return {str(line): _output(entry, f"{where}: {line}") for line, entry in _mapping(value, where).items()}


def _output(value: object, where: str) -> Output:
    entry = _mapping(value, where, {"stdout", "stderr", "code", *_FLAGS})
    code = entry.get("code", 0)
    if code is not None and not isinstance(code, int):
        raise RecordingError(f"{where}: code: expected a number, found {code!r}")
    stdout, stderr = (_bytes(entry.get(name, ""), f"{where}: {name}") for name in ("stdout", "stderr"))
    return Output(stdout, stderr, code, **{flag: entry.get(flag, False) is True for flag in _FLAGS})


def _identity(value: object, where: str) -> SshIdentity:
    entry = _mapping(value, where, {"banner", "host_key"})
    key = _mapping(entry.get("host_key"), f"{where}: host_key", {"kind", "blob"})
    blob = _bytes(key.get("blob"), f"{where}: host_key: blob")
    return SshIdentity(str(entry.get("banner", "")), HostKey(str(key.get("kind")), blob))


def _plain(value: SnmpValue) -> object:
    match value:
        case int():
            return value
        case bytes():
            return _plain_bytes(value)
        case _:
            return {"oid": format_oid(value)}


def _plain_bytes(data: bytes) -> str | dict[str, str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"hex": data.hex()}
    return text if all(char.isprintable() or char in "\n\t\r" for char in text) else {"hex": data.hex()}


def _plain_walk(walk: Walk) -> dict[str, object]:
    rows: dict[str, object] = {format_oid(oid): _plain(value) for oid, value in walk.rows}
    return rows if walk.complete else {"rows": rows, "reason": walk.reason or ""}


def _plain_output(output: Output) -> dict[str, object]:
    entry: dict[str, object] = {"stdout": _plain_bytes(output.stdout)}
    if output.stderr:
        entry["stderr"] = _plain_bytes(output.stderr)
    if output.code != 0:
        entry["code"] = output.code
    return entry | {flag: True for flag in _FLAGS if getattr(output, flag)}
