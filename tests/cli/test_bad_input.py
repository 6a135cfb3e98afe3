"""What is wrong with what was typed, written or configured: one clear message, a fitting exit code, nothing lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Cmdb
from tests.cli.estates import SHOP
from tests.fixtures.parts import free_port

RECORDINGS = Path(__file__).parents[1] / "recordings"
PATTERN = "the pattern is DZZXXXX-YYY, as in D010210-009 (building D01, floor 02, room 10, machine 009)"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(
            ("label", "parse", "E010210-009"),
            2,
            "'E010210-009' is not a label: the building is 'E01', which must be D and two of A to Z and 0 to 9; "
            + PATTERN,
            id="a malformed label",
        ),
        pytest.param(
            ("scan", "10.0.0.0/12"),
            2,
            "that is 1,048,574 addresses; confirm with --yes that so many are meant (more than 65,536)",
            id="a million addresses",
        ),
        pytest.param(
            ("scan", "10.0.0.1/24"), 2, "'10.0.0.1/24' is no network; did you mean 10.0.0.0/24?", id="host bits"
        ),
        pytest.param(
            ("scan", "::/0", "--yes"),
            2,
            "::/0: nobody can ask that many addresses; name a smaller network",
            id="more than a number can count",
        ),
        pytest.param(
            ("scan", "10.0.0.1", "--map", "10.0.0.0/8"),
            2,
            "'10.0.0.0/8' is no address map; write SITE/PREFIX=DIALLED/PREFIX",
            id="an address map",
        ),
        pytest.param(
            ("find", "--state", "gone"), 2, "unknown state 'gone'; known: present, missing, retired", id="a state"
        ),
        pytest.param(
            ("impact", "web1", "--kind", "explode"),
            2,
            "unknown kind of change 'explode'; known: power_off, remove, reboot, disconnect, configure, patch",
            id="a kind of change",
        ),
        pytest.param(
            ("show", "web3"),
            3,
            "nothing is called 'web3', nor has such an identifier; did you mean web2, web1?",
            id="a name that nothing has",
        ),
        pytest.param(
            ("show", "connects_to:web1..core"),
            2,
            "'connects_to:web1..core' is a relation, not a CI: name one of its ends",
            id="a relation to show",
        ),
        pytest.param(
            ("impact", "core[Gi9]", "--kind", "disconnect"),
            3,
            "no cable in port 'Gi9' of core: its cabled ports are Gi1/0/1, Gi1/0/2",
            id="a port without a cable",
        ),
        pytest.param(
            ("label", "next", "web1"), 2, "'web1' is no room: name a declared room such as D010210", id="no room"
        ),
        pytest.param(
            ("token", "create", "me", "--role", "boss"),
            2,
            "no such role: 'boss'; it is one of reader, operator, admin",
            id="a role",
        ),
        pytest.param(("token", "revoke", "me"), 3, "there is no token 'me'", id="an unknown token"),
        pytest.param(("runs", "none"), 3, "there is no run 'none'", id="an unknown run"),
        pytest.param(
            ("declare", "none.yaml"), 2, "none.yaml cannot be read: No such file or directory", id="no such file"
        ),
        pytest.param(
            ("schedule", "add", "night", "10.0.0.0/24", "--at", "soon"),
            2,
            "cron 'soon' cannot be read (it has 1 fields); write minute hour day month weekday, such as '0 2 * * *'",
            id="a cron text",
        ),
        pytest.param(
            ("host-key", "forget", "10.0.0.1"),
            3,
            "no host key is known for 10.0.0.1 in address space 'default'",
            id="an unknown host key",
        ),
        pytest.param(("find", "zzz"), 3, "nothing fits", id="nothing found"),
    ],
)
def test_bad_input_gets_one_message_and_an_exit_code(
    cmdb: Cmdb, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    cmdb("declare", str(file))
    before = cmdb("export", "--canonical").out

    done = cmdb(*arguments)

    assert (done.code, done.err) == (code, f"cmdb: {message}\n")
    assert cmdb("export", "--canonical").out == before


def test_an_unknown_class_is_refused_with_those_that_there_are(cmdb: Cmdb) -> None:
    done = cmdb("find", "--class", "serevr")

    assert done.code == 2
    assert done.err.startswith("cmdb: unknown class 'serevr'; known: application, ")
    assert len(done.err.splitlines()) == 1


def test_what_fits_several_is_refused_with_the_candidates(cmdb: Cmdb, tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text("cis:\n  - {class: server, name: web}\n  - {class: service, name: web}\n")
    cmdb("declare", str(file))
    server, service = (cmdb("find", "--class", name, "--json").json[0]["id"] for name in ("server", "service"))
    candidates = ", ".join(
        text for _, text in sorted([(server, f"web (server, {server})"), (service, f"web (service, {service})")])
    )

    done = cmdb("impact", "web", "--kind", "reboot")

    assert (done.code, done.err) == (2, f"cmdb: 'web' fits 2: {candidates}; say which by its id\n")


def test_a_kind_that_does_not_fit_is_refused(cmdb: Cmdb, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    cmdb("declare", str(file))

    room = cmdb("impact", "D010210", "--kind", "reboot")
    cable = cmdb("impact", "core[Gi1/0/1]", "--kind", "reboot")

    assert (room.code, cable.code) == (2, 2)
    assert "a room takes power_off or remove only, not reboot" in room.err
    assert "a relation cannot be rebooted; reboot needs a CI" in cable.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "cis:\n  - {class: service, name: shop}\nrelations:\n  - {type: depends_on, from: shop, to: wbe1}\n",
            (":4: ", "wbe1"),
            id="a dangling reference",
        ),
        pytest.param(
            "cis:\n  - {class: service, name: shop}\n"
            "groups:\n"
            "  - {of: shop, name: a, needs: 1, legs: [{group: b}]}\n"
            "  - {of: shop, name: b, needs: 1, legs: [{group: a}]}\n",
            (":4: ", "the groups a → b → a are legs of each other"),
            id="a cycle of groups",
        ),
        pytest.param(
            "cis:\n  - {class: serevr, name: web1}\n", (":2: ", "serevr", "did you mean server"), id="an unknown class"
        ),
        pytest.param("cis: [\n", ("YAML",), id="no YAML"),
        pytest.param("", ("cis: []",), id="an empty file"),
        pytest.param(
            "cis:\n  - {class: server, name: w, label: D0102}\n",
            (":2: ", "D0102", "DZZXXXX-YYY"),
            id="a malformed label",
        ),
    ],
)
def test_an_estate_with_a_mistake_is_refused_as_a_whole(
    cmdb: Cmdb, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(SHOP)
    cmdb("declare", str(file))
    before = cmdb("export", "--canonical").out
    file.write_text(text)

    done = cmdb("declare", str(file))

    assert done.code == 2
    assert "Traceback" not in done.err
    assert [word for word in (str(file), *words) if word not in done.err] == []
    assert cmdb("export", "--canonical").out == before


@pytest.mark.parametrize(
    ("variable", "value", "code", "message"),
    [
        pytest.param(
            "CMDB_STORE",
            "mysql://me:secret@host/db",
            2,
            "the store's URL has the unknown scheme 'mysql'; expected sqlite:///PATH (four slashes for an absolute "
            "path) or neo4j://USER:PASSWORD@HOST:PORT",
            id="a store of another kind",
        ),
        pytest.param(
            "CMDB_OPERATIONS",
            "nonsense",
            2,
            "the URL of the operations database cannot be read; expected an SQLAlchemy URL such as sqlite:///PATH "
            "(four slashes for an absolute path)",
            id="no URL of an operations database",
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_said(
    cmdb: Cmdb, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: int, message: str
) -> None:
    monkeypatch.setenv(variable, value)

    done = cmdb("scan", "127.0.0.1")

    assert (done.code, done.err) == (code, f"cmdb: {message}\n")


def test_a_neo4j_that_does_not_answer_is_said_at_the_start(process: Cmdb, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("CMDB_STORE", f"neo4j://neo4j:secret@127.0.0.1:{port}")

    served = process("serve", "--port", "0")
    shown = process("show", "web1")

    message = f"cmdb: Neo4j at 127.0.0.1:{port} does not answer: start it, or check host and port in CMDB_STORE\n"
    assert (served.code, served.out, served.err) == (5, "", message)
    assert (shown.code, shown.out, shown.err) == (5, "", message)


def test_a_key_that_others_may_read_is_not_used(cmdb: Cmdb, home: Path) -> None:
    key = home / "store" / "cmdb.key"
    cmdb("credential", "add", "first", "--kind", "snmp-v2c", "--for", "10.0.0.0/8", stdin="public\n")
    key.chmod(0o644)

    done = cmdb("credential", "add", "second", "--kind", "snmp-v2c", "--for", "10.0.0.0/8", stdin="public\n")

    assert done.code == 5
    assert done.err == f"cmdb: the key file {key} has mode 0644, others may use it: chmod 600 {key}\n"
    assert [row["name"] for row in cmdb("credential", "list", "--json").json] == ["first"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("stoer: sqlite:///x\n", "stoer: Extra inputs are not permitted", id="a misspelt key"),
        pytest.param("port: many\n", "port: Input should be a valid integer", id="a value"),
        pytest.param("store: [1\n", "cannot be read: while parsing a flow sequence", id="no YAML"),
        pytest.param("just words\n", "cannot be read: ", id="no settings"),
        pytest.param(None, "where there is no file", id="no file"),
    ],
)
def test_a_settings_file_with_a_mistake_is_said(
    cmdb: Cmdb, home: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, words: str
) -> None:
    file = home / "cmdb.yaml"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("CMDB_CONFIG", str(file))

    done = cmdb("find")

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert [word for word in (str(file), words) if word not in done.err] == []


def test_text_that_is_no_unicode_is_refused(process: Cmdb) -> None:
    done = process("show", "\udcff")

    assert (done.code, done.out, done.err) == (2, "", "cmdb: '\\udcff' is not valid Unicode\n")


def test_what_a_terminal_cannot_draw_is_spelt_out(
    process: Cmdb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP.replace("shop", "café"))
    process("declare", str(file))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    told = process("impact", "web1", "--kind", "power_off")
    read = process("impact", "web1", "--kind", "power_off", "--json")

    assert (told.code, "\\u2716 down" in told.out) == (0, True)
    assert (read.code, [row["name"] for row in read.json["affected"]]) == (0, ["café", "web1"])


def test_a_recording_that_belongs_to_another_family_is_said(cmdb: Cmdb, tmp_path: Path) -> None:
    source = next((RECORDINGS / "linux").iterdir())
    copy = tmp_path / "arista_eos" / "copy"
    shutil.copytree(source, copy)

    right = cmdb("replay", str(source))
    wrong = cmdb("replay", str(copy))

    assert (right.code, right.out) == (0, (source / "expected.json").read_text())
    message = (
        f"cmdb: {copy}/replies.yaml is recognised as 'linux', but lies in the folder of 'arista_eos': "
        "move it to linux/, or make the rules of arista_eos.yaml more specific\n"
    )
    assert (wrong.code, wrong.err) == (2, message)


def test_a_recording_whose_expectation_says_something_else_is_a_problem(cmdb: Cmdb, tmp_path: Path) -> None:
    copy = tmp_path / "linux" / "copy"
    shutil.copytree(next((RECORDINGS / "linux").iterdir()), copy)
    (copy / "expected.json").write_text("{}\n")

    done = cmdb("replay", str(copy))

    assert (done.code, done.err.count("\n")) == (1, 1)


def test_what_is_no_command_is_said_without_a_traceback(process: Cmdb) -> None:
    done = process("sacn")

    assert (done.code, done.out) == (2, "")
    assert "No such command 'sacn'." in done.err
