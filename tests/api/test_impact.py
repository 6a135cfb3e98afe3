"""Impact over HTTP: totals, pages of rows, filters, whom it concerns, why, and what is refused."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.problems import Problem
from api.routes.impact import awaited
from api.wiring import Services
from tests.api.estate import ESTATE

API = "/api/v1"
NOTHING = {"affected": 0, "down": 0, "degraded": 0, "at_risk": 0, "unprotected": 0, "unmanaged": 0}

_MANY = range(120)
MANY = "\n".join(
    [
        "cis:",
        "  - {class: power_unit, name: ups}",
        "  - {class: building, name: D01}",
        *(f"  - {{class: {'server' if n % 10 else 'storage'}, name: s{n:03}}}" for n in _MANY),
        "relations:",
        "  - {type: located_in, from: ups, to: D01}",
        *(f"  - {{type: powered_by, from: s{n:03}, to: ups, feed: A}}" for n in _MANY),
    ]
)


def _levels(document: Any) -> dict[str, str]:
    return {row["name"]: row["availability"] for row in document["affected"]}


@pytest.mark.usefixtures("estate")
def test_impact_is_asked_in_words(reader: TestClient) -> None:
    one = reader.post(f"{API}/impact", json={"what": ["web1"], "kind": "power_off"}).json()
    both = reader.post(f"{API}/impact", json={"what": ["web1"], "kind": "reboot", "down": ["D010210-002"]}).json()
    cable = reader.post(f"{API}/impact", json={"what": ["access[Gi1/1]"], "kind": "disconnect"}).json()

    assert _levels(one) == {"shop": "degraded", "shop web": "degraded", "web1": "down"}
    assert _levels(both) == {"shop": "down", "shop web": "down", "web1": "down"}
    assert both["temporary"] is True
    assert _levels(cable) == {"shop": "degraded", "shop web": "degraded", "web1": "down"}
    counts = one["counts"]
    assert counts["affected"] + counts["unknown"] + counts["unaffected"] == counts["cis"]
    assert counts | {"cis": 0, "unknown": 0, "unaffected": 0} == {
        "cis": 0, "affected": 3, "unknown": 0, "unaffected": 0, "services": 1, "down": 1, "degraded": 2,
        "at_risk": 0, "at_risk_own": 0, "at_risk_inherited": 0, "unprotected": 0, "unmanaged": 0,
    }  # fmt: skip


@pytest.mark.usefixtures("estate")
def test_impact_of_one_ci_is_the_same_answer(reader: TestClient) -> None:
    asked = reader.post(f"{API}/impact", json={"what": ["web1"], "kind": "power_off"}).json()
    web1 = next(row["id"] for row in asked["affected"] if row["name"] == "web1")

    assert reader.get(f"{API}/cis/{web1}/impact").json() == asked


@pytest.mark.usefixtures("estate")
def test_an_answer_begins_with_its_totals_and_says_whom_it_concerns(reader: TestClient) -> None:
    answer = reader.post(f"{API}/impact", json={"what": ["web1"], "kind": "power_off", "down": ["web2"]})

    document = answer.json()
    ids = {row["name"]: row["id"] for row in document["affected"]}
    team = document["who"]["owners"]["listed"][0]["id"]
    site = document["who"]["sites"]["listed"][0]["id"]
    kept = {"protection": "kept", "management": "kept"}
    assert list(document) == [
        "revision", "rules", "hash", "head", "question", "counts", "unknown_because", "assumed", "notes", "stale",
        "stale_in_all", "who", "affected", "unknown", "next",
    ]  # fmt: skip
    assert (document["revision"], document["head"]) == (1, "3 affected, 2 unknown: 2 never logged in")
    assert document["question"] | {"what": 0, "down": 0} == {
        "what": 0, "kind": "power_off", "down": 0, "restarts": False, "at": "1",
    }  # fmt: skip
    assert document["next"] == {"affected": None, "unknown": None}
    assert document["who"] == {
        "services": {
            "counts": NOTHING | {"affected": 1, "down": 1},
            "listed": [
                {"id": ids["shop"], "class": "service", "name": "shop", "availability": "down", **kept,
                 "was": {"availability": "degraded", **kept}, "values": {"sla": "gold"}, "owners": ["web team"]},
            ],
            "more": 0,
        },
        "applications": {
            "counts": NOTHING | {"affected": 1, "down": 1},
            "listed": [
                {"id": ids["shop web"], "class": "application", "name": "shop web", "availability": "down", **kept,
                 "was": {"availability": "degraded", **kept}, "values": {}, "owners": []},
            ],
            "more": 0,
        },
        "owners": {
            "listed": [
                {"id": team, "name": "web team", "counts": NOTHING | {"affected": 1, "down": 1}, "values": {},
                 "worst": [{"id": ids["shop"], "class": "service", "name": "shop"}], "more": 0},
            ],
            "more": 0,
            "unowned": NOTHING | {"affected": 2, "down": 2},
        },
        "sites": {
            "listed": [
                {"id": site, "name": "D01", "counts": NOTHING | {"affected": 1, "down": 1}, "values": {},
                 "worst": [{"id": ids["web1"], "class": "server", "name": "web1"}], "more": 0},
            ],
            "more": 0,
            "nowhere": NOTHING | {"affected": 2, "down": 2},
        },
    }  # fmt: skip


@pytest.mark.usefixtures("estate")
def test_whom_it_concerns_may_be_left_out(reader: TestClient) -> None:
    question = {"what": ["web1"], "kind": "power_off"}
    whole = reader.post(f"{API}/impact", json=question).json()

    posted = reader.post(f"{API}/impact", json=question | {"who": False}).json()
    got = reader.get(f"{API}/cis/{whole['question']['what'][0]}/impact", params={"who": False}).json()

    assert posted == got == whole | {"who": None}


@pytest.mark.usefixtures("estate")
def test_the_same_question_at_the_same_revision_has_the_same_bytes(services: Services, reader: TestClient) -> None:
    first = reader.post(f"{API}/impact", json={"what": ["web1"], "kind": "power_off", "down": ["web2"]})
    services.inventory.declare("cis: [{class: server, name: web9}]", "other", "test")

    again = reader.post(f"{API}/impact", json=first.json()["question"])
    now = reader.post(f"{API}/impact", json=first.json()["question"] | {"at": None})

    assert again.content == first.content
    assert (now.json()["revision"], now.json()["hash"] == first.json()["hash"]) == (2, False)


def test_a_long_answer_pages_at_one_revision_without_gap_or_repeat(services: Services, reader: TestClient) -> None:
    services.inventory.declare(MANY, "many", "test")
    question = {"what": ["ups"], "kind": "power_off", "limit": 50}
    whole = reader.post(f"{API}/impact", json=question | {"limit": 1000}).json()

    page = reader.post(f"{API}/impact", json=question).json()
    pages = [page]
    services.inventory.declare("cis: [{class: server, name: s999}]", "other", "test")
    while page["next"]["affected"] is not None:
        page = reader.post(f"{API}/impact", json=question | {"next": page["next"]["affected"]}).json()
        pages.append(page)

    lists = ("affected", "unknown", "next")
    totals = {name: value for name, value in whole.items() if name not in lists}
    assert [len(page["affected"]) for page in pages] == [50, 50, 21]
    assert [row for page in pages for row in page["affected"]] == whole["affected"]
    assert [{name: value for name, value in page.items() if name not in lists} for page in pages] == [totals] * 3
    assert (len(pages[0]["unknown"]), [page["unknown"] for page in pages[1:]]) == (
        min(50, whole["counts"]["unknown"]),
        [[], []],
    )


def test_a_cursor_serves_its_own_question_only_and_ends_with_the_history(
    services: Services, reader: TestClient
) -> None:
    services.inventory.declare(MANY, "many", "test")
    question = {"what": ["ups"], "kind": "power_off", "limit": 50}
    following = reader.post(f"{API}/impact", json=question).json()["next"]["affected"]
    services.inventory.declare("cis: [{class: server, name: s999}]", "other", "test")
    services.inventory.trim(2)

    other = reader.post(f"{API}/impact", json=question | {"kind": "remove", "next": following})
    then = reader.post(f"{API}/impact", json=question | {"at": "2", "next": following})
    gone = reader.post(f"{API}/impact", json=question | {"next": following})

    assert (other.status_code, "cursor" in other.json()["detail"]) == (400, True)
    assert (then.status_code, "cursor" in then.json()["detail"]) == (400, True)
    assert (gone.status_code, gone.json()["oldest"]) == (410, 2)
    assert gone.json()["detail"].endswith("ask again without `next`, or with an `at` of then or later")


def test_a_page_says_when_what_was_asked_about_is_called_otherwise_meanwhile(
    services: Services, reader: TestClient
) -> None:
    hosts = "".join(f"  - {{class: server, name: s{n}}}\n" for n in range(5))
    fed = "".join(f"  - {{type: powered_by, from: s{n}, to: U1}}\n" for n in range(5))
    units = ("{class: power_unit, name: ups, serial: U1}", "{class: power_unit, name: old, serial: U2}")
    estate = f"cis:\n  - {units[0]}\n  - {units[1]}\n{hosts}relations:\n{fed}"
    services.inventory.declare(estate, "a", "test")
    question = {"what": ["ups"], "kind": "power_off", "limit": 2}
    page = reader.post(f"{API}/impact", json=question).json()
    services.inventory.declare(estate.replace("ups", "new").replace("old", "ups"), "a", "test")

    named = reader.post(f"{API}/impact", json=question | {"next": page["next"]["affected"]})

    assert (named.status_code, named.json()["detail"]) == (
        409, "what the question names is called otherwise since: name it by the ids of `question`",
    )  # fmt: skip


def test_a_question_by_ids_is_answered_at_its_revision_when_they_are_gone(
    services: Services, reader: TestClient
) -> None:
    services.inventory.declare(ESTATE, "estate.yaml", "test")
    cable = {"what": ["access[Gi1/1]"], "kind": "disconnect"}
    then = reader.post(f"{API}/impact", json=cable)
    gone = "  - {type: connects_to, from: access, to: web1, from_port: Gi1/1, to_port: eth0}\n"
    services.inventory.declare(ESTATE.replace(gone, ""), "estate.yaml", "test")

    by_id = reader.post(f"{API}/impact", json=then.json()["question"])
    by_port = reader.post(f"{API}/impact", json=cable | {"at": "1"})
    now = reader.post(f"{API}/impact", json=cable)
    never = reader.post(f"{API}/impact", json=cable | {"what": ["rel-99"], "at": "1"})

    assert then.status_code == 200
    assert by_id.content == by_port.content == then.content
    assert (now.status_code, never.status_code) == (404, 422)
    assert "rel-99: no such relation in the graph" in never.json()["detail"]


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({"class": ["storage"]}, [f"s{n:03}" for n in range(0, 120, 10)]),
        ({"class": ["power_unit", "service"]}, ["ups"]),
        ({"level": ["degraded", "unmanaged"]}, []),
        ({"site": "D01"}, ["ups"]),
        ({"site": "-", "class": ["storage"], "level": ["down"]}, [f"s{n:03}" for n in range(0, 120, 10)]),
    ],
)
def test_filters_choose_rows_and_leave_the_totals(
    services: Services, reader: TestClient, chosen: dict[str, Any], names: list[str]
) -> None:
    services.inventory.declare(MANY, "many", "test")
    question = {"what": ["ups"], "kind": "power_off"}
    whole = reader.post(f"{API}/impact", json=question).json()

    rows, following, pages = [], None, 0
    while pages == 0 or following is not None:
        page = reader.post(f"{API}/impact", json=question | chosen | {"limit": 5, "next": following}).json()
        assert {name: page[name] for name in ("counts", "who", "hash")} == {
            name: whole[name] for name in ("counts", "who", "hash")
        }
        rows += [row["name"] for row in page["affected"]]
        following, pages = page["next"]["affected"], pages + 1

    assert sorted(rows) == names


def test_a_question_about_another_time_is_answered_as_it_was(services: Services, reader: TestClient) -> None:
    services.inventory.declare(ESTATE, "estate.yaml", "test")
    services.inventory.declare(ESTATE.replace("needs: 1, full: 2", "needs: 2"), "estate.yaml", "test")
    question = {"what": ["web1"], "kind": "power_off"}

    then = reader.post(f"{API}/impact", json=question | {"at": "1"}).json()
    web1 = then["question"]["what"][0]

    assert (then["revision"], _levels(then)["shop"]) == (1, "degraded")
    assert _levels(reader.post(f"{API}/impact", json=question).json())["shop"] == "down"
    assert reader.get(f"{API}/cis/{web1}/impact", params={"at": "1"}).json() == then


def test_an_answer_waits_for_a_revision_that_is_named(services: Services, reader: TestClient) -> None:
    services.inventory.declare(ESTATE, "estate.yaml", "test")
    later = threading.Timer(0.1, services.inventory.declare, ("cis: [{class: server, name: x}]", "other", "test"))
    later.start()

    # It names what is not there before that revision.
    answer = reader.post(f"{API}/impact", json={"what": ["x"], "kind": "power_off", "wait_for": 2})

    later.join()
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    with pytest.raises(Problem, match="revision 9 is not there after 0 seconds: the newest is 2") as refused:
        awaited(services.inventory, 9, 0)
    assert refused.value.status == 503


def test_waiting_leaves_threads_to_those_who_do_not_wait(services: Services) -> None:
    services.inventory.declare(ESTATE, "estate.yaml", "test")
    room = threading.BoundedSemaphore(1)

    with room:
        awaited(services.inventory, 1, room=room)  # it is there
        with pytest.raises(Problem, match="revision 9 is not there yet, and too many requests wait") as refused:
            awaited(services.inventory, 9, room=room)

    assert refused.value.status == 503
    with pytest.raises(Problem, match="revision 9 is not there after 0 seconds"):
        awaited(services.inventory, 9, 0, room)
    assert room.acquire(blocking=False)


@pytest.mark.parametrize(
    ("question", "status", "word"),
    [
        ({"what": ["atlantis"], "kind": "reboot"}, 404, "atlantis"),
        ({"what": ["web1"], "kind": "wish"}, 422, "wish"),
        ({"what": ["D010210"], "kind": "reboot"}, 422, "power_off"),
        ({"what": [], "kind": "reboot"}, 422, "what"),
        ({"what": ["web1"], "kind": "reboot", "colour": "red"}, 422, "colour"),
        ({"what": ["connects_to:core..access"], "kind": "reboot"}, 422, "reboot"),
        ({"what": ["hangs_on:core..access"], "kind": "remove"}, 422, "unknown relation type 'hangs_on'; known: "),
        ({"what": ["web1"], "kind": "reboot", "at": "1999-01-01"}, 422, "at: nothing was known at 1999-01-01"),
        ({"what": ["web1"], "kind": "reboot", "at": "9"}, 422, "at: revision 9 is not there yet: the newest is 1"),
        ({"what": ["web1"], "kind": "reboot", "at": "yesterday"}, 422, "at: 'yesterday' is no point in time"),
        ({"what": ["web1"], "kind": "reboot", "at": "1", "wait_for": 2}, 422, "wait_for: revision 2"),
        ({"what": ["web1"], "kind": "reboot", "down": ["access[Gi1/1]"]}, 422, "down: only CIs can be down already"),
        ({"what": ["web1"] * 1001, "kind": "reboot"}, 422, "at most 1000 items"),
        ({"what": ["web1"], "kind": "reboot", "limit": 1001}, 422, "limit"),
        ({"what": ["web1"], "kind": "reboot", "level": ["dead"]}, 422, "level: 'dead' is not one of down, degraded"),
        ({"what": ["web1"], "kind": "reboot", "class": ["sever"]}, 422, "unknown class 'sever'"),
        (
            {"what": ["web1"], "kind": "reboot", "site": "D010210"},
            422,
            "site: 'D010210' is a room; sites are buildings",
        ),
        ({"what": ["web1"], "kind": "reboot", "site": "atlantis"}, 404, "atlantis"),
        ({"what": ["web1"], "kind": "reboot", "next": "AAAA"}, 400, "next: this cursor was not given"),
    ],
)
@pytest.mark.usefixtures("estate")
def test_a_question_that_makes_no_sense_is_refused_in_words(
    reader: TestClient, question: dict[str, Any], status: int, word: str
) -> None:
    answer = reader.post(f"{API}/impact", json=question)

    assert answer.status_code == status
    assert word in answer.json()["detail"]


def test_what_fits_several_is_refused_with_the_candidates(services: Services, reader: TestClient) -> None:
    services.inventory.declare(
        "cis: [{class: server, name: twin, serial: A1}, {class: router, name: twin, serial: A2}]", "a", "test"
    )

    answer = reader.post(f"{API}/impact", json={"what": ["twin"], "kind": "reboot"})

    assert answer.status_code == 409
    assert sorted((one["class"], one["name"]) for one in answer.json()["candidates"]) == [
        ("router", "twin"),
        ("server", "twin"),
    ]


@pytest.mark.parametrize(
    ("group", "word"),
    [
        ({"of": "shop web", "name": "g", "needs": 3, "legs": ["web1", "web2"]}, "needs 3"),
        ({"of": "shop web", "name": "g", "needs": 0, "legs": ["web1", "web2"]}, "needs"),
        ({"of": "shop web", "name": "g", "needs": 2, "full": 1, "legs": ["web1", "web2"]}, "full"),
        ({"of": "shop web", "name": "g", "needs": 1, "legs": ["core"]}, "no depends_on to the leg"),
        (
            {"of": "shop web", "name": "g", "needs": 1, "legs": [{"group": "g"}]},
            "the groups g → g are legs of each other",
        ),
    ],
)
@pytest.mark.usefixtures("estate")
def test_a_group_that_cannot_be_is_refused_where_it_is_written(
    operator: TestClient, group: dict[str, Any], word: str
) -> None:
    answer = operator.post(f"{API}/declarations", json={"name": "more", "groups": [group]})

    assert (answer.status_code, word in answer.json()["detail"]) == (422, True), answer.text


def _why(reader: TestClient, name: str, **asked: Any) -> Any:
    ci = reader.get(f"{API}/lookup", params={"value": name}).json()[0]["ci"]["id"]
    answer = reader.get(f"{API}/cis/{ci}/why", params={"what": "web1", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("estate")
def test_why_says_what_decided_and_by_how_much(reader: TestClient) -> None:
    shop, web2, ups = (_why(reader, name) for name in ("shop", "web2", "ups1"))

    assert [one["text"] for one in (shop, web2, ups)] == [
        "affected: degraded, was up", "not affected", "unknown: never logged in (connects_to)",
    ]  # fmt: skip
    assert [one["verdict"] for one in (shop, web2, ups)] == ["affected", "unaffected", "unknown"]
    assert [(one["text"], one["spare"]) for one in shop["because"]] == [
        ("depends_on needs 1 of 1: 1 holds; shop web degraded", 0)
    ]
    assert [(one["text"], one["spare"]) for one in web2["because"]] == [
        ("located_in needs 1 of 1: 1 holds; 0 to spare", 0)
    ]
    assert (shop["revision"], shop["head"]) == (1, "3 affected, 2 unknown: 2 never logged in")


@pytest.mark.usefixtures("estate")
def test_why_names_the_relations_that_counted_and_who_says_them(services: Services, reader: TestClient) -> None:
    shop = _why(reader, "shop", what="ups1", down="ups2")

    names = {relation["id"]: (relation["source"]["name"], relation["target"]["name"]) for relation in shop["relations"]}
    ages = [row.pop("age_s") for relation in shop["relations"] for row in relation["said"]]
    times = {
        row.pop(name) for relation in shop["relations"] for row in relation["said"] for name in ("since", "confirmed")
    }
    assert [
        (step["name"], step["class"], step["state"], [names[id_] for id_ in step["relations"]]) for step in shop["path"]
    ] == [
        ("ups1", "power_unit", "down", []),
        ("web1", "server", "down", [("web1", "ups1")]),
        ("shop web", "application", "degraded", [("shop web", "web1")]),
        ("shop", "service", "degraded", [("shop", "shop web")]),
    ]
    assert [[names[id_] for id_ in leg["relations"]] for leg in shop["because"][0]["legs"]] == [[("shop", "shop web")]]
    assert {relation["id"]: (relation["type"], relation["key"]) for relation in shop["relations"]} == {
        id_: ("powered_by", {"feed": "A"}) if ends[0] == "web1" else ("depends_on", {}) for id_, ends in names.items()
    }
    assert [relation["said"] for relation in shop["relations"]] == [
        [{"source": "declared:estate.yaml", "section": "declared", "by": "test", "stale": False, "evidence": None}]
    ] * 3
    assert (len(times), all(0 <= age < 3600 for age in ages), shop["relations_more"]) == (1, True, 0)
    services.inventory.declare("cis: [{class: server, name: x}]", "other", "test")
    then = _why(reader, "shop", what="ups1", down="ups2", at="1")
    assert [relation | {"said": []} for relation in shop["relations"]] == then["relations"]


@pytest.mark.usefixtures("estate")
def test_what_would_fail_next_is_told_of_one_ci_and_of_the_services_of_an_answer(reader: TestClient) -> None:
    one = _why(reader, "shop", next_failures=True)["next_failures"]
    every = reader.post(f"{API}/impact/next-failures", json={"what": ["web1"], "kind": "power_off"}).json()
    named = reader.post(
        f"{API}/impact/next-failures", json={"what": ["web1"], "kind": "power_off", "of": ["shop web", "web2"]}
    ).json()
    hasty = reader.post(
        f"{API}/impact/next-failures", json={"what": ["web1"], "kind": "power_off", "seconds": 0}
    ).json()

    assert ([ci["name"] for ci in one["cis"]], [cable["name"] for cable in one["cables"]], one["complete"]) == (
        ["web2"], ["connects_to:access[Gi1/2]..web2[eth0]"], True,
    )  # fmt: skip
    assert (one["cis_in_all"], one["cables_in_all"]) == (1, 1)
    assert (every["items"], every["not_reached"], every["complete"]) == ([one], [], True)
    assert [(row["of"]["name"], [ci["name"] for ci in row["cis"]]) for row in named["items"]] == [
        ("shop web", ["web2"]), ("web2", []),
    ]  # fmt: skip
    assert hasty["complete"] is False


def test_of_many_next_failures_the_first_are_named_and_all_are_counted(services: Services, reader: TestClient) -> None:
    parts = [f"r{n:03}" for n in range(250)]
    estate = {
        "cis": [{"class": "service", "name": name} for name in ["shop", *parts]],
        "relations": [{"type": "depends_on", "from": "shop", "to": name} for name in parts],
        "groups": [{"of": "shop", "name": "all", "needs": 249, "legs": parts}],
    }
    services.inventory.declare_document(estate, "estate", "test")
    question = {"what": ["r000", "r001"], "kind": "power_off"}

    # The shop is down after the change, whatever of these fails as well, and none of them alone would have done it.
    named = reader.post(f"{API}/impact/next-failures", json=question | {"of": ["shop"] * 100}).json()
    alone = _why(reader, "shop", **question, next_failures=True)["next_failures"]

    assert {(len(row["cis"]), row["cis_in_all"], row["complete"]) for row in named["items"]} == {(20, 250, True)}
    assert (len(alone["cis"]), alone["cis_in_all"], alone["cables_in_all"]) == (250, 250, 0)


@pytest.mark.usefixtures("estate")
def test_single_points_of_failure_are_listed_the_worst_first(reader: TestClient) -> None:
    whole = reader.get(f"{API}/impact/single-points").json()
    cut = reader.get(f"{API}/impact/single-points", params={"limit": 2, "after": 1}).json()

    assert [(row["name"], row["class"], row["takes_down"]) for row in whole["items"]] == [
        ("D01", "building", 7), ("D0102", "floor", 6), ("core", "network_switch", 6), ("D010210", "room", 5),
        ("access", "network_switch", 5), ("connects_to:access[Te1/0]..core[Te1/1]", "connects_to", 5),
        ("shop web", "application", 2),
    ]  # fmt: skip
    assert {service["name"] for row in whole["items"] for service in row["services"]} == {"shop"}
    assert (whole["in_all"], whole["complete"]) == (7, True)
    assert cut["items"] == whole["items"][1:3]
