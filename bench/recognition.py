"""How well discovery recognises recorded agents: `python bench/recognition.py FOLDER`.

FOLDER holds `truth.jsonl`, with a row per recording, and the recordings that it names, in snmpsim's format: a line
`OID|TAG|VALUE` an object. Says for each class how many are right, wrong and unknown, which recordings raise, and how
often a serial is told that is not in the recording (the goal is never). Nothing of such recordings belongs in here.
"""

from __future__ import annotations

import argparse
import json
import traceback
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cmdb.model import Section
from discovery.collect import Collector
from discovery.family import Family, load_families
from discovery.observe import observe
from discovery.recognise import Fingerprint, recognise
from discovery.replay import SYS_DESCR, SYS_OBJECT_ID, WHEN
from discovery.transport.base import Oid, SnmpValue, Walk, parse_oid

_TEXT, _OID, _ADDRESS = {"4", "68"}, "6", "64"
_NINE: Mapping[str, str] = {
    "network_switch": "network_switch", "router": "router", "server": "server", "storage": "storage_array",
    "power_unit": "ups", "fc_switch": "fc_switch", "tape_library": "tape_library", "printer": "printer",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agent:
    """An Snmp that answers from a whole recording."""

    values: Mapping[Oid, SnmpValue]
    order: tuple[Oid, ...]

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        return {oid: self.values[oid] for oid in oids if oid in self.values}

    def walk(self, root: Oid) -> Walk:
        rows = []
        for oid in self.order[bisect_left(self.order, root) :]:
            if oid[: len(root)] != root:
                break
            rows.append((oid, self.values[oid]))
        return Walk(tuple(rows))

    def close(self) -> None:
        """Nothing is held."""


def read(path: Path) -> Agent:
    """Read a recording; of two lines for one object the first counts, and a line that is none is left out."""
    values: dict[Oid, SnmpValue] = {}
    for line in path.read_text("utf-8", "surrogateescape").splitlines():
        oid, _, rest = line.partition("|")
        tag, bar, text = rest.partition("|")
        try:
            if bar:
                values.setdefault(parse_oid(oid), _value(tag, text))
        except ValueError:
            continue
    return Agent(values, tuple(sorted(values)))


def _value(tag: str, text: str) -> SnmpValue:
    kind = tag.rstrip("xe")
    if kind == _OID:
        return parse_oid(text)
    if kind in _TEXT or kind == _ADDRESS:
        if tag.endswith("x"):
            return bytes.fromhex(text)
        if kind == _ADDRESS:
            return bytes(int(part) for part in text.split("."))
        return text.encode("utf-8", "surrogateescape")
    return int(text)


def discovered(agent: Agent, families: tuple[Family, ...]) -> tuple[Family | None, tuple[Section, ...]]:
    """What discovery makes of an agent."""
    oid, descr = agent.values.get(SYS_OBJECT_ID), agent.values.get(SYS_DESCR)
    shown = Fingerprint(
        oid if isinstance(oid, tuple) else None, descr.decode("utf-8", "replace") if isinstance(descr, bytes) else ""
    )
    family = recognise(shown, families).family
    if family is None:
        return None, ()
    return family, observe(family, Collector(agent, None).collect(family).sections, WHEN)


def serials(sections: Iterable[Section]) -> Iterator[str]:
    """What is told as a serial of the device or of a member."""
    for section in sections:
        for statement in section.statements:
            yield from (each.value for each in statement.about.identifiers if "serial" in each.scheme)


def main() -> None:
    """Measure, and say."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    folder: Path = arguments.parse_args().folder
    families = load_families()
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    raised: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    made_up = 0
    for line in (folder / "truth.jsonl").read_text().splitlines():
        row: dict[str, Any] = json.loads(line)
        path = folder / row["file"]
        if path.suffix != ".snmprec" or row["class_conf"] == "low" or row["class9"] is None:
            continue
        agent = read(path)
        try:
            family, sections = discovered(agent, families)
        except Exception:  # noqa: BLE001 what raises is what is looked for here
            raised[traceback.format_exc().splitlines()[-1]] += 1
            continue
        failed.update(f"{section.name}: {section.problem}" for section in sections if section.problem)
        told = _NINE.get(family.ci_class, "other") if family is not None else "other"
        total[row["class9"]] += 1
        if told in row["class9_accept"]:
            right[row["class9"]] += 1
        elif family is None or family.ci_class == "unknown_device":
            unknown[row["class9"]] += 1
        else:
            wrong[f"{row['class9']} told as {told} ({family.name}), {row['os']}"] += 1
        texts = b"\n".join(value for value in agent.values.values() if isinstance(value, bytes)).upper()
        made_up += sum(serial.encode() not in texts for serial in serials(sections))
    for name, count in sorted(total.items()):
        print(f"{name:16} {right[name]:4} right, {unknown[name]:4} unknown of {count}")
    for title, counter in (("wrong", wrong), ("raised", raised), ("failed", failed)):
        print(f"{title}: {counter.total()}")
        for text, count in counter.most_common(25):
            print(f"  {count:4} {text[:180]}")
    print(f"serials that stand nowhere in their recording: {made_up}")


if __name__ == "__main__":
    main()
