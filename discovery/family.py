"""Families of devices as data: reads `families/*.yaml` strictly.

A family says how it is recognised, which class its devices are, and what to ask of them in three verbs: `get` and
`walk` (SNMP), `run` (a line for /bin/sh). What comes back goes to a parser, or straight into a fact: a value is a
literal, a column (or object), or what a pattern finds in one. Mistakes raise FamilyError while loading.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, TypeAlias

import yaml

from cmdb.schema import CONCRETE
from discovery.facts import Fact, Hardware, PowerSupply, System
from discovery.transport.base import Oid, parse_oid

SECTIONS = (
    "snmp.system", "snmp.interfaces", "snmp.entities", "snmp.addresses", "snmp.lldp", "snmp.forwarding", "snmp.fabric",
    "ssh.system", "ssh.hardware", "ssh.interfaces", "ssh.disks", "ssh.fc", "ssh.listeners", "ssh.processes",
    "ssh.connections", "ssh.lldp",
)  # fmt: skip
"""Names of sections, in the order in which they are reported."""

Parser: TypeAlias = Callable[[Any], Iterable[Fact]]
"""Of `get` and `walk` steps: rows in; of `run` steps: text in."""

_FACTS: Mapping[str, type[System | PowerSupply | Hardware]] = {
    "system": System, "power_supply": PowerSupply, "hardware": Hardware,
}  # fmt: skip
"""Facts of texts alone, which a family may fill without a parser."""


class FamilyError(ValueError):
    """A family file is wrong; the text says which file, where in it, and what would be right."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a fingerprint must show; everything that is given must fit. All None fits anything."""

    sys_object_id: Oid | None = None
    sys_descr: re.Pattern[str] | None = None
    ssh_banner: re.Pattern[str] | None = None
    uname: re.Pattern[str] | None = None

    @property
    def specificity(self) -> tuple[int, int, int, int]:
        """What a host said when logged in counts most, then how long a prefix of sysObjectID fits, then the texts."""
        oid = len(self.sys_object_id) if self.sys_object_id is not None else 0
        return (self.uname is not None, oid, self.sys_descr is not None, self.ssh_banner is not None)


@dataclass(frozen=True, slots=True)
class Take:
    """Where the value of a fact's field comes from: a column's number, an object, or another field; and a pattern."""

    column: int | None = None
    oid: Oid | None = None
    source: str | None = None
    literal: str | None = None
    pattern: re.Pattern[str] | None = None

    def found_in(self, text: str) -> str:
        """The text, or the first group that the pattern finds in it; empty where it finds nothing."""
        if self.pattern is None:
            return text
        match = self.pattern.search(text)
        return (match[1] or "").strip() if match else ""


@dataclass(frozen=True, slots=True)
class Filling:
    """A fact made without a parser: its class, and where each of its fields comes from."""

    fact: type[System | PowerSupply | Hardware]
    fields: Mapping[str, Take]


@dataclass(frozen=True, slots=True)
class GetStep:
    """Ask for single objects."""

    section: str
    oids: tuple[Oid, ...]
    reader: Parser | Filling


@dataclass(frozen=True, slots=True)
class WalkStep:
    """Ask for everything below some objects. With a Filling `roots` is one table entry, of which columns are taken."""

    section: str
    roots: tuple[Oid, ...]
    reader: Parser | Filling
    entry: Oid | None = None


@dataclass(frozen=True, slots=True)
class RunStep:
    """Run a line in /bin/sh. `codes` are the return codes of success; a tool that is `optional` may be missing."""

    section: str
    name: str
    command: str
    reader: Parser
    root: bool = False
    optional: bool = False
    codes: frozenset[int] = frozenset({0})


SectionStep: TypeAlias = GetStep | WalkStep | RunStep


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of device. `shell`: it may be a Unix host, so it is worth while to log in and look.

    `system` says what its devices are that they do not say themselves: literals, and patterns on other fields.
    `management_ports` are the names of interfaces that carry management alone.
    """

    name: str
    ci_class: str
    rules: tuple[Rule, ...]
    steps: tuple[SectionStep, ...] = ()
    system: Mapping[str, Take] | None = None
    management_ports: re.Pattern[str] | None = None
    shell: bool = False

    @property
    def runs_commands(self) -> bool:
        return any(isinstance(step, RunStep) for step in self.steps)


def parser(name: str) -> Parser:
    """Find `module.function` below `discovery.parsers`; ValueError names the near miss."""
    module_name, _, function_name = name.partition(".")
    known = _parsers()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise ValueError(f"no parser {name!r}" + (f", did you mean {near[0]!r}?" if near else ""))
    found: Parser = getattr(importlib.import_module(f"discovery.parsers.{module_name}"), function_name)
    return found


@cache
def _parsers() -> tuple[str, ...]:
    """Every public function that reads a reply, as `module.function`."""
    names: list[str] = []
    for file in resources.files("discovery.parsers").iterdir():
        stem = file.name.removesuffix(".py")
        if not file.name.endswith(".py") or stem in {"__init__", "octets"}:
            continue
        module = importlib.import_module(f"discovery.parsers.{stem}")
        names += [
            f"{stem}.{name}"
            for name, value in vars(module).items()
            if callable(value) and not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
        ]
    return tuple(sorted(names))


def parsers() -> tuple[str, ...]:
    """The names of all parsers."""
    return _parsers()


def load_families(folder: Traversable | None = None) -> tuple[Family, ...]:
    """Read every family, those that are `like` another one after it. Raises FamilyError."""
    files = sorted((folder or resources.files("discovery") / "families").iterdir(), key=lambda file: file.name)
    raw = {file.name: _read(file) for file in files if file.name.endswith(".yaml")}
    by_name: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for file_name, content in raw.items():
        name = content.get("family")
        if f"{name}.yaml" != file_name:
            raise FamilyError(f"{file_name}: family is {name!r}; it must be the file's name")
        by_name[str(name)] = file_name, content
    families = tuple(_Reader(file_name, by_name).family(content) for file_name, content in by_name.values())
    _refuse_equal_rules(families)
    return families


@cache
def scanned_classes() -> frozenset[str]:
    """The classes of which a scan may find devices and what runs on them; all others exist by declaration."""
    found = {family.ci_class for family in load_families()}
    if any(family.runs_commands for family in load_families()):
        found |= {"virtual_machine", "operating_system", "process"}
    return frozenset(found)


def _refuse_equal_rules(families: Sequence[Family]) -> None:
    seen: dict[tuple[object, ...], str] = {}
    for family in families:
        for rule in family.rules:
            texts = tuple(pattern and pattern.pattern for pattern in (rule.sys_descr, rule.ssh_banner, rule.uname))
            other = seen.setdefault((rule.sys_object_id, *texts), family.name)
            if other != family.name:
                raise FamilyError(f"{family.name}.yaml and {other}.yaml have one rule in common: a tie that is no use")


class _UniqueKeys(yaml.CSafeLoader):
    """PyYAML lets the last of two equal keys win; a family file with two is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise FamilyError(f"line {node.start_mark.line + 1}: the key {key!r} stands there twice")
        return super().construct_mapping(node, deep)


def _read(file: Traversable) -> Mapping[str, Any]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _UniqueKeys)  # noqa: S506 a SafeLoader
    except FamilyError as error:
        raise FamilyError(f"{file.name}: {error}") from None
    except yaml.YAMLError as error:
        raise FamilyError(f"{file.name}: not YAML: {error}") from error
    if not isinstance(content, dict):
        raise FamilyError(f"{file.name}: not a mapping of keys")
    return content


class _Reader:
    """Reads one file. Every method raises FamilyError with the place in the file."""

    def __init__(self, file_name: str, by_name: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
        self._file = file_name
        self._by_name = by_name

    def _wrong(self, where: str, text: str) -> FamilyError:
        return FamilyError(f"{self._file}: {where}: {text}")

    def _keys(self, where: str, content: object, *allowed: str) -> Mapping[str, Any]:
        if not isinstance(content, dict):
            raise self._wrong(where, f"expected a mapping, got {content!r}")
        for key in content:
            if key not in allowed:
                near = difflib.get_close_matches(str(key), allowed, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(allowed)}"
                raise self._wrong(where, f"unknown key {key!r}; {hint}")
        return content

    def family(self, content: object) -> Family:
        """The whole file."""
        found = self._keys(
            "top", content, "family", "ci_class", "like", "recognise", "system", "collect", "management_ports", "shell"
        )
        for key in ("ci_class", "recognise"):
            if key not in found:
                raise self._wrong("top", f"{key} is missing")
        if found["ci_class"] not in CONCRETE:
            near = difflib.get_close_matches(str(found["ci_class"]), CONCRETE, 1)
            raise self._wrong(
                "ci_class", f"unknown class {found['ci_class']!r}" + (f", did you mean {near[0]}?" if near else "")
            )
        if not isinstance(found.get("shell", False), bool):
            raise self._wrong("shell", "true or false")
        management = found.get("management_ports")
        family = Family(
            name=found["family"],
            ci_class=found["ci_class"],
            rules=tuple(
                self._rule(f"recognise[{at}]", rule) for at, rule in self._list("recognise", found["recognise"])
            ),
            steps=self.steps(found),
            system={
                field: self._derived(f"system.{field}", field, value) for field, value in self._system(found).items()
            },
            management_ports=None if management is None else self._pattern("management_ports", management),
            shell=found.get("shell", False),
        )
        names = [step.name for step in family.steps if isinstance(step, RunStep)]
        if len(set(names)) < len(names):
            raise self._wrong("collect", "a section runs one parser twice")
        return family

    def steps(self, content: Mapping[str, Any], seen: tuple[str, ...] = ()) -> tuple[SectionStep, ...]:
        """The steps of the family that this one is like, then its own."""
        like = content.get("like")
        inherited: tuple[SectionStep, ...] = ()
        if like is not None:
            if like not in self._by_name or like in seen or like == content.get("family"):
                near = difflib.get_close_matches(str(like), self._by_name, 1)
                raise self._wrong(
                    "like", f"no family {like!r} to be like" + (f", did you mean {near[0]}?" if near else "")
                )
            file_name, other = self._by_name[like]
            inherited = _Reader(file_name, self._by_name).steps(other, (*seen, like))
        own = self._list("collect", content.get("collect", []))
        return (*inherited, *(self._step(f"collect[{at}]", step) for at, step in own))

    def _list(self, where: str, content: object) -> Iterable[tuple[int, object]]:
        if not isinstance(content, list):
            raise self._wrong(where, f"expected a list, got {content!r}")
        return enumerate(content)

    def _rule(self, where: str, content: object) -> Rule:
        if content == "anything":
            return Rule()
        found = self._keys(where, content, "sys_object_id", "sys_descr", "ssh_banner", "uname")
        if not found:
            raise self._wrong(where, "an empty rule; write `anything` where that is meant")
        patterns = {
            key: self._pattern(f"{where}.{key}", found[key])
            for key in ("sys_descr", "ssh_banner", "uname") if key in found
        }  # fmt: skip
        oid = self._oid(f"{where}.sys_object_id", found["sys_object_id"]) if "sys_object_id" in found else None
        return Rule(oid, **patterns)

    def _oid(self, where: str, content: object) -> Oid:
        try:
            return parse_oid(content if isinstance(content, str) else repr(content))
        except ValueError as error:
            raise self._wrong(where, str(error)) from None

    def _pattern(self, where: str, content: object, *, takes: bool = False) -> re.Pattern[str]:
        """`takes`: it must have one group, which is what it finds."""
        if not isinstance(content, str):
            raise self._wrong(where, f"expected a pattern, got {content!r}")
        try:
            pattern = re.compile(content)
        except re.error as error:
            raise self._wrong(where, f"not a pattern: {error}") from None
        if takes and pattern.groups != 1:
            raise self._wrong(where, f"the pattern must have one group, which is the value; it has {pattern.groups}")
        return pattern

    def _system(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._keys("system", content.get("system", {}), *(field.name for field in fields(System)))

    def _derived(self, where: str, field: str, content: object) -> Take:
        """A literal, or what a pattern finds in another field of the system."""
        if isinstance(content, str):
            return Take(literal=content)
        found = self._keys(where, content, "from", "pattern")
        source = found.get("from")
        if source == field or source not in {item.name for item in fields(System)}:
            raise self._wrong(where, f"from: no other field {source!r} of a system")
        return Take(source=source, pattern=self._pattern(f"{where}.pattern", found.get("pattern"), takes=True))

    def _step(self, where: str, content: object) -> SectionStep:
        found = self._keys(
            where, content, "section", "get", "walk", "run", "parse", "fact", "columns", "root", "optional", "codes"
        )
        section = found.get("section")
        if section not in SECTIONS:
            near = difflib.get_close_matches(str(section), SECTIONS, 1)
            raise self._wrong(where, f"unknown section {section!r}" + (f", did you mean {near[0]}?" if near else ""))
        verbs = [verb for verb in ("get", "walk", "run") if verb in found]
        if len(verbs) != 1:
            raise self._wrong(where, "a step has one of get, walk and run")
        if ("parse" in found) == ("fact" in found):
            raise self._wrong(where, "a step has either parse or fact")
        match verbs[0]:
            case "get":
                self._only(where, found, "get", "parse", "fact")
                return self._get(where, section, found)
            case "walk":
                self._only(where, found, "walk", "parse", "fact", "columns")
                return self._walk(where, section, found)
            case _:
                self._only(where, found, "run", "parse", "root", "optional", "codes")
                return self._run(where, section, found)

    def _only(self, where: str, found: Mapping[str, Any], *allowed: str) -> None:
        for key in found:
            if key not in ("section", *allowed):
                raise self._wrong(where, f"{key} does not go with {allowed[0]}")

    def _get(self, where: str, section: str, found: Mapping[str, Any]) -> GetStep:
        if "parse" in found:
            oids = tuple(self._oid(f"{where}.get[{at}]", oid) for at, oid in self._list(f"{where}.get", found["get"]))
            return GetStep(section, oids, self._parser(where, found["parse"]))
        filling = self._filling(where, found["fact"], found["get"], self._object)
        return GetStep(section, tuple(take.oid for take in filling.fields.values() if take.oid is not None), filling)

    def _walk(self, where: str, section: str, found: Mapping[str, Any]) -> WalkStep:
        if "parse" in found:
            roots = [found["walk"]] if isinstance(found["walk"], str) else found["walk"]
            oids = tuple(self._oid(f"{where}.walk[{at}]", oid) for at, oid in self._list(f"{where}.walk", roots))
            return WalkStep(section, oids, self._parser(where, found["parse"]))
        entry = self._oid(f"{where}.walk", found["walk"])
        filling = self._filling(where, found["fact"], found.get("columns"), self._column)
        columns = (take.column for take in filling.fields.values() if take.column is not None)
        return WalkStep(section, tuple((*entry, column) for column in dict.fromkeys(columns)), filling, entry)

    def _run(self, where: str, section: str, found: Mapping[str, Any]) -> RunStep:
        codes = found.get("codes", [0])
        if not isinstance(codes, list) or not all(isinstance(code, int) for code in codes):
            raise self._wrong(f"{where}.codes", "expected a list of return codes")
        for flag in ("root", "optional"):
            if not isinstance(found.get(flag, False), bool):
                raise self._wrong(f"{where}.{flag}", "true or false")
        if not isinstance(found["run"], str) or "\n" in found["run"].strip():
            raise self._wrong(f"{where}.run", "expected one line")
        return RunStep(
            section, f"{section} {found['parse']}", found["run"].strip(), self._parser(where, found["parse"]),
            found.get("root", False), found.get("optional", False), frozenset(codes),
        )  # fmt: skip

    def _parser(self, where: str, name: object) -> Parser:
        try:
            return parser(str(name))
        except ValueError as error:
            raise self._wrong(f"{where}.parse", str(error)) from None

    def _filling(self, where: str, fact: object, content: object, read: Callable[[str, object], Take]) -> Filling:
        kind = _FACTS.get(str(fact))
        if kind is None:
            raise self._wrong(
                f"{where}.fact", f"{fact!r} cannot be filled without a parser; known: {', '.join(_FACTS)}"
            )
        found = self._keys(where, content, *(field.name for field in fields(kind)))
        return Filling(kind, {field: read(f"{where}.{field}", value) for field, value in found.items()})

    def _object(self, where: str, content: object) -> Take:
        """An OID, or an OID with a pattern."""
        if isinstance(content, str):
            return Take(oid=self._oid(where, content))
        found = self._keys(where, content, "oid", "pattern")
        return Take(
            oid=self._oid(where, found.get("oid")), pattern=self._pattern(where, found.get("pattern"), takes=True)
        )

    def _column(self, where: str, content: object) -> Take:
        """A column's number, a column with a pattern, or a literal text."""
        if isinstance(content, str):
            return Take(literal=content)
        if isinstance(content, int) and not isinstance(content, bool):
            return Take(column=content)
        found = self._keys(where, content, "column", "pattern")
        if not isinstance(found.get("column"), int):
            raise self._wrong(where, "expected a column's number")
        return Take(column=found["column"], pattern=self._pattern(where, found.get("pattern"), takes=True))
