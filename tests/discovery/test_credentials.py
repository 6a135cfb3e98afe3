from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from discovery.credentials import Attempts
from tests.discovery.parts import Credentials, community, password

FIRST, SECOND, THIRD = password("first"), password("second"), password("third")


def attempts(**good: str) -> Attempts:
    source = Credentials(
        [("10.0.0.0/8", FIRST), ("10.0.0.0/8", SECOND), ("10.1.0.0/16", THIRD), ("0.0.0.0/0", community())]
    )
    source.good = {("default", "10.0.0.1", protocol): name for protocol, name in good.items()}
    return Attempts(source)


def names(given: Attempts, address: str = "10.0.0.1", protocol: str = "ssh") -> list[str]:
    return [each.name for each in given.candidates("default", address, protocol)]


def test_what_is_bound_to_the_address_is_tried_in_peoples_order() -> None:
    given = attempts()

    assert ["first", "second"] == names(given)
    assert ["first", "second", "third"] == names(given, "10.1.0.1")
    assert [] == names(given, "192.0.2.1")
    assert ["read"] == names(given, "192.0.2.1", "snmp")


def test_what_worked_last_time_is_tried_first() -> None:
    assert ["second", "first"] == names(attempts(ssh="second"))


def test_what_worked_is_remembered_for_next_time() -> None:
    source = Credentials([("10.0.0.0/8", FIRST), ("10.0.0.0/8", SECOND)])

    Attempts(source).worked("default", "10.0.0.1", "ssh", SECOND)

    assert ["second", "first"] == names(Attempts(source))


def test_what_a_host_refused_is_not_tried_there_again_in_this_run() -> None:
    given = attempts()

    given.refused("default", "10.0.0.1", "ssh", FIRST)

    assert ["second"] == names(given)
    assert ["first", "second"] == names(given, "10.0.0.2")
    assert not given.problems


def test_what_three_hosts_in_a_row_refused_is_not_tried_at_all_any_more() -> None:
    given = attempts()

    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.3"):
        given.refused("default", address, "ssh", FIRST)

    (problem,) = given.problems
    assert ["second"] == names(given, "10.0.0.9")
    assert problem == (
        "credential 'first' was refused by 10.0.0.1, 10.0.0.2, 10.0.0.3, one after the other; "
        "it is not tried any more in this run"
    )


def test_a_host_that_it_opens_breaks_the_row() -> None:
    given = attempts()

    given.refused("default", "10.0.0.1", "ssh", FIRST)
    given.refused("default", "10.0.0.2", "ssh", FIRST)
    given.worked("default", "10.0.0.3", "ssh", FIRST)
    given.refused("default", "10.0.0.4", "ssh", FIRST)

    assert ["first", "second"] == names(given, "10.0.0.9")


def test_each_address_space_has_its_own_hosts() -> None:
    given = attempts()

    given.refused("site-a", "10.0.0.1", "ssh", FIRST)

    assert ["second"] == [each.name for each in given.candidates("site-a", "10.0.0.1", "ssh")]
    assert ["first", "second"] == [each.name for each in given.candidates("site-b", "10.0.0.1", "ssh")]


def test_many_hosts_side_by_side_refuse_a_wrong_password_no_oftener_than_three_times() -> None:
    given = attempts()
    asked: list[str] = []

    def log_in(address: str) -> None:
        with given.attempt("default", address, "ssh", FIRST) as may_try:
            if may_try:
                asked.append(address)
                given.refused("default", address, "ssh", FIRST)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(log_in, [f"10.0.0.{last}" for last in range(1, 17)]))

    assert 3 == len(asked)
    assert ["second"] == names(given, "10.0.0.99")


def test_a_host_waits_where_three_others_have_not_yet_answered_to_what_opened_none() -> None:
    given = attempts()
    tried: list[bool] = []

    def log_in() -> None:
        with given.attempt("default", "10.0.0.4", "ssh", FIRST) as may_try:
            tried.append(may_try)

    with ThreadPoolExecutor(1) as pool:
        with (
            given.attempt("default", "10.0.0.1", "ssh", FIRST),
            given.attempt("default", "10.0.0.2", "ssh", FIRST),
            given.attempt("default", "10.0.0.3", "ssh", FIRST),
        ):
            waiting = pool.submit(log_in)
            for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
                given.refused("default", address, "ssh", FIRST)
        waiting.result(timeout=30)

    assert [False] == tried


def test_what_opened_a_host_is_tried_at_as_many_as_there_are() -> None:
    given = attempts()
    given.worked("default", "10.0.0.9", "ssh", FIRST)

    with (
        given.attempt("default", "10.0.0.1", "ssh", FIRST) as first,
        given.attempt("default", "10.0.0.2", "ssh", FIRST) as second,
        given.attempt("default", "10.0.0.3", "ssh", FIRST) as third,
        given.attempt("default", "10.0.0.4", "ssh", FIRST) as fourth,
    ):
        assert (True, True, True, True) == (first, second, third, fourth)
