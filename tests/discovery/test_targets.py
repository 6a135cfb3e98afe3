from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.targets import AddressMap, Target, TargetError, Targets, read_targets
from discovery.transport.base import Endpoint

NAMES = {"web1.example.net": ["192.0.2.7"], "both": ["2001:db8::7", "192.0.2.8"]}


def read(*texts: str, exclude: Sequence[str] = (), confirmed: bool = False) -> Targets:
    return read_targets(texts, exclude=exclude, confirmed=confirmed, resolver=lambda name: NAMES.get(name, ()))


def addresses(*texts: str, exclude: Sequence[str] = ()) -> list[str]:
    return [target.address for target in read(*texts, exclude=exclude)]


@pytest.mark.parametrize(
    ("texts", "exclude", "expected"),
    [
        pytest.param(["192.0.2.0/30"], [], ["192.0.2.1", "192.0.2.2"], id="a network without its ends"),
        pytest.param(["192.0.2.0/31"], [], ["192.0.2.0", "192.0.2.1"], id="a point-to-point network (RFC 3021)"),
        pytest.param(["192.0.2.9/32"], [], ["192.0.2.9"], id="a network of one"),
        pytest.param(["192.0.2.1-3"], [], ["192.0.2.1", "192.0.2.2", "192.0.2.3"], id="a range by its last number"),
        pytest.param(
            ["192.0.2.254-192.0.3.1"], [], ["192.0.2.254", "192.0.2.255", "192.0.3.0", "192.0.3.1"], id="a range"
        ),
        pytest.param(["web1.example.net"], [], ["192.0.2.7"], id="a name"),
        pytest.param(["both"], [], ["192.0.2.8"], id="a name with two versions is one host"),
        pytest.param(["2001:db8::1", "2001:db8::/127"], [], ["2001:db8::", "2001:db8::1"], id="IPv6"),
        pytest.param(["192.0.2.1", "192.0.2.1-2"], [], ["192.0.2.1", "192.0.2.2"], id="once each"),
        pytest.param(["192.0.2.1-6"], ["192.0.2.2-3", "192.0.2.4/31"], ["192.0.2.1", "192.0.2.6"], id="exclusions"),
    ],
)
def test_targets_are_read_as_people_write_them(texts: list[str], exclude: list[str], expected: list[str]) -> None:
    assert expected == addresses(*texts, exclude=exclude)


def test_a_port_behind_a_host_means_both_protocols() -> None:
    targets = read_targets(["192.0.2.1:5000", "192.0.2.2", "[2001:db8::1]:5001"], snmp_port=1161, ssh_port=2222)

    assert [
        Target("192.0.2.1", 5000, 5000),
        Target("192.0.2.2", 1161, 2222),
        Target("2001:db8::1", 5001, 5001),
    ] == list(targets)


def test_two_ports_of_one_address_are_two_devices() -> None:
    targets = read("192.0.2.1:5000", "192.0.2.1:5001", "192.0.2.1:5000")

    assert [Target("192.0.2.1", 5000, 5000), Target("192.0.2.1", 5001, 5001)] == list(targets)
    assert ("192.0.2.1/32",) == targets.networks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("192.0.2.0/33", "'192.0.2.0/33' is no network"),
        ("192.0.2.5/24", "did you mean 192.0.2.0/24?"),
        ("192.0.2.9-1", "from the lower address to the higher"),
        ("192.0.2.1-x", "no address to end a range with"),
        ("192.0.2.300", "no address, network or range"),
        ("no.such.name", "no name that can be resolved"),
        ("192.0.2.1:99999", "a port is a number from 1 to 65535"),
        ("[2001:db8::1", "is written [ADDRESS]:PORT"),
        ("", "no address, network or range"),
    ],
)
def test_a_mistake_is_refused_with_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(TargetError) as refusal:
        read(text)

    assert message in str(refusal.value)


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(TargetError, match="nothing to scan"):
        read()


def test_a_million_addresses_want_to_be_confirmed_and_take_no_memory() -> None:
    with pytest.raises(TargetError, match=r"that is 1,048,574 addresses; confirm with --yes"):
        read("10.0.0.0/12")

    targets = read("10.0.0.0/12", confirmed=True)
    assert (len(targets), next(iter(targets)).address, targets.networks) == (1_048_574, "10.0.0.1", ("10.0.0.0/12",))


def test_a_whole_network_is_covered_with_its_ends_less_what_is_excluded() -> None:
    assert read("192.0.2.0/25", "192.0.2.128/25").networks == ("192.0.2.0/24",)
    assert read("192.0.2.0/30", exclude=["192.0.2.3"]).networks == ("192.0.2.0/31", "192.0.2.2/32")


def test_a_scan_knows_its_address_space() -> None:
    assert read_targets(["192.0.2.1"], space="site-b").space == "site-b"


def test_an_address_map_says_where_a_network_is_dialled() -> None:
    mapped = AddressMap.read(["10.210.0.0/16=127.210.0.0/16", "10.210.7.0/24=192.0.2.0/24"])
    targets = read_targets(["10.210.1.2"], address_map=mapped)

    dialled = [mapped.dialled(address) for address in ("10.210.1.2", "10.210.7.9", "10.211.0.1", "2001:db8::1")]

    assert ["127.210.1.2", "192.0.2.9", "10.211.0.1", "2001:db8::1"] == dialled
    assert Endpoint("127.210.1.2", 161) == targets.endpoint("10.210.1.2", 161)


@pytest.mark.parametrize(
    "text", ["10.0.0.0/16", "10.0.0.0/16=10.1.0.0/24", "10.0.0.0/8=2001:db8::/8", "10.0.0.1/8=1.0.0.0/8"]
)
def test_a_map_of_unequal_networks_is_refused(text: str) -> None:
    with pytest.raises(TargetError):
        AddressMap.read([text])


@given(
    wanted=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), min_size=1, max_size=5),
    barred=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), max_size=4),
)
def test_targets_are_the_set_of_what_is_wanted_less_what_is_barred(
    wanted: list[list[int]], barred: list[list[int]]
) -> None:
    def span(ends: list[int]) -> str:
        return f"192.0.2.{ends[0]}-{ends[1]}"

    expected = {n for a, b in wanted for n in range(a, b + 1)} - {n for a, b in barred for n in range(a, b + 1)}
    targets = read(*map(span, wanted), exclude=list(map(span, barred)))

    assert sorted(expected) == [int(ipaddress.ip_address(target.address)) & 255 for target in targets]
    assert len(expected) == len(targets)
    covered = {int(each) & 255 for text in targets.networks for each in ipaddress.ip_network(text)}
    assert expected == covered
