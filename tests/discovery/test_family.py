"""The loader of families: what is good, and the one message for each thing that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery.facts import PowerSupply
from discovery.family import FamilyError, Filling, GetStep, RunStep, Take, WalkStep, load_families
from discovery.parsers import lsblk

GOOD = """\
family: good
ci_class: power_unit
recognise:
  - sys_object_id: 1.3.6.1.4.1.99.1
"""


def write(folder: Path, text: str, name: str = "good") -> None:
    (folder / f"{name}.yaml").write_text(text)


def test_a_family_is_a_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        GOOD
        + """\
system:
  vendor: Acme
  version: {from: description, pattern: 'v(\\d+)'}
collect:
  - section: snmp.system
    get: {serial: 1.3.6.1.4.1.99.1.0, model: {oid: 1.3.6.1.4.1.99.2.0, pattern: '^(\\S+)'}}
    fact: system
  - section: snmp.entities
    walk: 1.3.6.1.4.1.99.7.1
    fact: power_supply
    columns: {name: 2, model: AC}
  - {section: ssh.disks, run: lsblk -J, parse: lsblk.disks, optional: true, codes: [0, 32]}
""",
    )

    (family,) = load_families(tmp_path)

    get, walk, run = family.steps
    assert isinstance(get, GetStep)
    assert get.oids == ((1, 3, 6, 1, 4, 1, 99, 1, 0), (1, 3, 6, 1, 4, 1, 99, 2, 0))
    assert walk == WalkStep(
        "snmp.entities",
        ((1, 3, 6, 1, 4, 1, 99, 7, 1, 2),),
        Filling(PowerSupply, {"name": Take(column=2), "model": Take(literal="AC")}),
        (1, 3, 6, 1, 4, 1, 99, 7, 1),
    )
    assert run == RunStep(
        "ssh.disks", "ssh.disks lsblk.disks", "lsblk -J", lsblk.disks, optional=True, codes=frozenset({0, 32})
    )
    assert family.system is not None
    assert (family.system["vendor"].literal, family.system["version"].source) == ("Acme", "description")


def test_a_family_that_is_like_another_takes_its_steps_first(tmp_path: Path) -> None:
    write(tmp_path, GOOD + "collect: [{section: ssh.system, run: hostname, parse: linux.hostname}]\n")
    write(
        tmp_path,
        "family: other\nlike: good\nci_class: server\nrecognise: [anything]\n"
        "collect: [{section: ssh.disks, run: lsblk, parse: lsblk.disks}]\n",
        "other",
    )

    steps = {family.name: [step.section for step in family.steps] for family in load_families(tmp_path)}

    assert steps == {"good": ["ssh.system"], "other": ["ssh.system", "ssh.disks"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            GOOD.replace("recognise", "recogniz"), "unknown key 'recogniz'; did you mean 'recognise'?", id="key"
        ),
        pytest.param(GOOD + "colour: red\n", "unknown key 'colour'; known: family", id="key without a near miss"),
        pytest.param(
            GOOD.replace("power_unit", "power_unt"), "unknown class 'power_unt', did you mean power_unit?", id="class"
        ),
        pytest.param(
            GOOD.replace("family: good", "family: bad"), "family is 'bad'; it must be the file's name", id="name"
        ),
        pytest.param(GOOD + "ci_class: printer\n", "the key 'ci_class' stands there twice", id="key twice"),
        pytest.param(GOOD.replace("1.3.6.1.4.1.99.1", "1.3.x"), "not an OID", id="OID"),
        pytest.param(GOOD + "like: god\n", "no family 'god' to be like, did you mean good?", id="like nobody"),
        pytest.param(GOOD + "like: good\n", "no family 'good' to be like", id="like itself"),
        pytest.param(GOOD + "management_ports: '('\n", "not a pattern", id="pattern"),
        pytest.param(
            GOOD + "system: {version: {from: version, pattern: '(x)'}}\n", "no other field 'version'", id="from itself"
        ),
        pytest.param(
            GOOD + "system: {version: {from: description, pattern: x}}\n", "must have one group", id="no group"
        ),
        pytest.param(
            GOOD + "collect: [{section: ssh.disk, run: lsblk, parse: lsblk.disks}]\n",
            "unknown section 'ssh.disk', did you mean ssh.disks?",
            id="section",
        ),
        pytest.param(
            GOOD + "collect: [{section: ssh.disks, run: lsblk, parse: lsblk.disk}]\n",
            "no parser 'lsblk.disk', did you mean 'lsblk.disks'?",
            id="parser",
        ),
        pytest.param(
            GOOD + "collect: [{section: ssh.disks, run: lsblk, walk: 1.3.6, parse: lsblk.disks}]\n",
            "one of get, walk and run",
            id="two verbs",
        ),
        pytest.param(
            GOOD + "collect: [{section: ssh.disks, run: lsblk}]\n", "either parse or fact", id="nothing to read it"
        ),
        pytest.param(
            GOOD + "collect: [{section: ssh.disks, run: lsblk, parse: lsblk.disks, columns: {}}]\n",
            "columns does not go with run",
            id="column of a command",
        ),
        pytest.param(
            GOOD + "collect: [{section: snmp.system, get: {colour: 1.3.6.1}, fact: system}]\n",
            "unknown key 'colour'",
            id="field of a fact",
        ),
        pytest.param(
            GOOD + "collect: [{section: snmp.system, walk: 1.3.6.1, fact: neighbour, columns: {}}]\n",
            "cannot be filled without a parser",
            id="fact",
        ),
        pytest.param("family: [\n", "not YAML", id="YAML"),
        pytest.param("- family\n", "not a mapping", id="list"),
        pytest.param("family: good\nci_class: server\n", "recognise is missing", id="nothing recognised"),
    ],
)
def test_a_mistake_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)

    with pytest.raises(FamilyError) as refusal:
        load_families(tmp_path)

    assert message in str(refusal.value)
    assert str(refusal.value).startswith("good.yaml")


def test_two_families_with_one_rule_are_refused(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD.replace("family: good", "family: twin"), "twin")

    with pytest.raises(FamilyError, match=r"good\.yaml|twin\.yaml have one rule in common"):
        load_families(tmp_path)
