"""The description holds together, and what is rendered from it agrees at both ends."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from ipaddress import IPv4Interface
from typing import Any

import pytest
import yaml

from lab import ber
from lab.description import Device
from lab.hosts import record
from lab.mib import MibView
from lab.mibs import render
from lab.mibs.bridge import heard
from lab.site import SITE
from lab.written import HERE, rendered
from naming import Label, RoomPlan

FILES = rendered()
ESTATE: dict[str, list[dict[str, Any]]] = yaml.safe_load(FILES["estate.yaml"])
TRUTH: dict[str, list[dict[str, Any]]] = yaml.safe_load(FILES["truth.yaml"])
LLDP_REMOTE = "1.0.8802.1.1.2.1.4.1.1"
LLDP_LOCAL = "1.0.8802.1.1.2.1.3.7.1"


@cache
def view(id_: str) -> MibView:
    return render(SITE, SITE.device(id_), lambda: 0)[""]


def column(device: Device, entry: str, number: int) -> dict[ber.Oid, bytes]:
    """The contents of a column by index."""
    prefix = (*ber.parse_oid(entry), number)
    found: dict[ber.Oid, bytes] = {}
    at = view(device.id).next(prefix)
    while at is not None and at[0][: len(prefix)] == prefix:
        found[at[0][len(prefix) :]] = ber.Reader(at[1]).element().body
        at = view(device.id).next(at[0])
    return found


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_committed_file_is_what_the_description_renders(name: str) -> None:
    assert (HERE / name).read_text(encoding="utf-8") == FILES[name]


def test_each_port_takes_one_cable() -> None:
    ends = Counter(end for cable in SITE.cables for end in ((cable.a, cable.a_port), (cable.b, cable.b_port)))

    assert {end for end, count in ends.items() if count > 1} == set()
    assert all(SITE.device(device).port(port) for device, port in ends)


def test_addresses_and_hardware_addresses_are_one_devices_each() -> None:
    holders: dict[str, set[str]] = {}
    for device in SITE.devices:
        for port in device.ports:
            for value in (port.mac, port.wwpn, port.address and str(IPv4Interface(port.address).ip)):
                if value:
                    holders.setdefault(value, set()).add(device.id)

    assert {value: sorted(ids) for value, ids in holders.items() if len(ids) > 1} == {}


def lldp_ends(device: Device) -> set[tuple[str, str, str, str]]:
    """What a device hears by its LLDP-MIB, as (own name, own port, other's name, its port)."""
    ports = {index[-1]: body.decode() for index, body in column(device, LLDP_LOCAL, 3).items()}
    names = column(device, LLDP_REMOTE, 9)
    return {
        (device.sys_name, ports[index[1]], names[index].decode(), port.decode())
        for index, port in column(device, LLDP_REMOTE, 7).items()
    }


def test_two_that_show_what_they_hear_agree_on_both_ends_of_each_cable() -> None:
    showing = {device.sys_name: lldp_ends(device) for device in SITE.devices if device.snmp and device.lldp}
    showing = {name: ends for name, ends in showing.items() if ends}

    pairs = {end for ends in showing.values() for end in ends if end[2] in showing}

    assert pairs == {(far, far_port, near, near_port) for near, near_port, far, far_port in pairs}
    assert len(pairs) == 2 * 8


def test_a_host_and_its_switch_agree_on_their_cable() -> None:
    switches = [device for device in SITE.devices if device.snmp and device.lldp]
    heard_of = {(far, near, port, far_port) for switch in switches for near, port, far, far_port in lldp_ends(switch)}
    told: set[tuple[str, str, str, str]] = set()
    for host in (device for device in SITE.devices if device.linux is not None and device.linux.lldpd):
        rows = json.loads(record(SITE, host).commands["lldpcli.json0"])["lldp"][0]["interface"]
        told |= {
            (host.name, row["chassis"][0]["name"][0]["value"], row["port"][0]["id"][0]["value"], row["name"])
            for row in rows
        }

    hosts = {name for name, _, _, _ in told}
    assert told == {row for row in heard_of if row[0] in hosts}
    assert Counter(name for name, _, _, _ in told) == {name: 1 if name == "web3" else 2 for name in hosts}


def test_a_port_without_neighbour_with_one_address_is_a_cable_that_the_truth_knows() -> None:
    """Only what the bridge tables alone show is such a port; no other port looks like one by accident."""
    alone = set()
    for switch in SITE.devices:
        if switch.cls != "network_switch" or switch.family not in {"arista_eos", "hpe_comware"}:
            continue
        neighbours = {port for _, port, _, _ in lldp_ends(switch)}
        macs = Counter(port for _, port in heard(SITE, switch) if port)
        alone |= {(switch.id, port) for port, count in macs.items() if count == 1 and port not in neighbours}

    assert alone == {(cable.b, cable.b_port) for cable in SITE.cables if cable.seen == "fdb"}


def test_the_virtual_router_is_heard_but_only_on_the_way_to_it() -> None:
    stations = {station.mac: port for station, port in heard(SITE, SITE.device("acc4"))}

    assert stations["00:00:5e:00:01:0a"] == "Ethernet50"


def test_labels_are_unique_and_places_of_their_rooms() -> None:
    plans = {room.label: RoomPlan.parse(room.label, room.grid, room.door) for room in SITE.rooms}
    labels = [Label.parse(device.label) for device in SITE.devices if device.label is not None]

    assert len(set(labels)) == len(labels) > 20
    for label in labels:
        plan = plans[str(label)[:7]]
        assert plan.label_of(plan.place_of(int(str(label)[-3:]))) == label


def test_every_reference_of_the_estate_is_one_thing() -> None:
    known = Counter(ci["name"] for ci in ESTATE["cis"]) + Counter(room["label"] for room in ESTATE["rooms"])
    used = {row[end] for row in ESTATE["relations"] for end in ("from", "to")}
    used |= {leg for group in ESTATE["groups"] for leg in (group["of"], *group["legs"])}

    assert {name: known[name] for name in used if known[name] != 1} == {}


def test_every_end_in_the_truth_is_a_ci_of_the_truth_and_nothing_stands_twice() -> None:
    names = Counter(ci["name"] for ci in TRUTH["cis"])
    spelt = {ci["name"] for ci in TRUTH["cis"] if names[ci["name"]] == 1}
    spelt |= {f"{ci['name']}@{ci['mac']}" for ci in TRUTH["cis"] if names[ci["name"]] > 1}
    ends = {row[end] for row in TRUTH["relations"] for end in ("from", "to")}
    rows = Counter(json.dumps(row, sort_keys=True) for row in TRUTH["relations"])

    assert ends - spelt == set()
    assert {row for row, count in rows.items() if count > 1} == set()


def test_the_site_has_what_was_asked_for() -> None:
    classes = Counter(device.cls for device in SITE.devices)
    access = [device for device in SITE.devices if device.id.startswith("acc")]
    linux = [device for device in SITE.devices if device.linux is not None]

    assert classes == {
        "network_switch": 8, "firewall": 1, "fc_switch": 2, "storage": 1, "tape_library": 1, "power_unit": 4,
        "management_controller": 2, "midrange_server": 1, "partition": 3, "server": 8, "unknown_device": 2,
    }  # fmt: skip
    assert Counter(device.vendor for device in access) == {"Cisco": 2, "Arista": 2}
    assert [device.id for device in access if len(device.units) == 3] == ["acc1"]
    assert [ci["name"] for ci in ESTATE["cis"] if ci.get("gateway")] == ["core1", "core2"]
    assert [host.id for host in linux if not host.lldp] == ["bkp1"]
    assert [host.id for host in linux if len(SITE.cables_of(host.id)) == 1] == ["web3"]
    assert {device.label[:3] for device in SITE.devices if device.label} == {"D01", "D02"}
    assert {device.snmp for device in SITE.devices if device.snmp} == {"v1", "v2c", "v3"}


def test_the_site_has_what_breaks_toys() -> None:
    linux = {device.id: device.linux for device in SITE.devices if device.linux is not None}
    names = Counter(device.name for device in SITE.devices)
    parallel = Counter(frozenset((cable.a, cable.b)) for cable in SITE.cables)
    uuids = Counter(host.uuid for host in linux.values())
    ring = {frozenset(pair) for pair in (("core1", "acc1"), ("acc1", "acc2"), ("acc2", "acc3"), ("acc3", "acc4"),
                                         ("acc4", "core2"))}  # fmt: skip

    assert [name for name, count in names.items() if count > 1] == ["localhost"]
    assert parallel[frozenset(("core1", "core2"))] == 2
    assert ring <= set(parallel)
    assert uuids.most_common(1) == [(linux["web1"].uuid, 2)]
    assert linux["web2"].uuid == linux["web1"].uuid
    assert linux["bkp1"].product_serial == "To be filled by O.E.M."
    assert [(group["needs"], group["full"]) for group in ESTATE["groups"]] == [(1, 3), (1, 2)]
    assert SITE.device("lobby-sw").snmp is None
    assert [ci["name"] for ci in ESTATE["cis"] if ci["class"] == "virtual_address"] == ["server gateway"]
    assert SITE.silent == ("10.210.1.200",)


def test_the_management_switch_carries_management_alone() -> None:
    carried = {far for _, far, _, _ in SITE.cables_of("mgm1")}

    assert {"ups1", "ups2", "array1", "bmc-db1"} <= carried
    assert not any(SITE.device(name).linux is not None for name in carried)
