"""Facts → claims: what is the same for all families. Whole devices are in the recordings."""

from __future__ import annotations

from datetime import UTC, datetime

from cmdb.model import Completeness, Component, Identifier, RelationClaim, Section, Statement, Subject
from discovery.collect import Collected
from discovery.facts import (
    Address,
    BasePort,
    Connection,
    Fact,
    FcPort,
    Hardware,
    Interface,
    Learnt,
    Listener,
    LocalPort,
    Neighbour,
    OperatingSystem,
    Owner,
    Process,
    System,
    Unit,
)
from discovery.family import Family, Rule, Take
from discovery.observe import observe

NOW = datetime(2026, 2, 3, tzinfo=UTC)
SWITCH = Family("switch", "network_switch", (Rule(),))
SERVER = Family("linux", "server", (Rule(),))
ITSELF = Subject(itself=True)
PORTS = (
    Interface("Gi1", "ethernet", 101, "00:00:00:00:aa:01", "00:00:00:00:aa:01"),
    Interface("Gi2", "ethernet", 102, "00:00:00:00:aa:02", "00:00:00:00:aa:02"),
    Interface("Po1", "virtual", 103, "00:00:00:00:aa:03", "00:00:00:00:aa:03"),
)
BASES = (BasePort(1, 101), BasePort(2, 102), BasePort(3, 103))


def full(section: str, *facts: Fact) -> Collected:
    return Collected(section, Completeness.FULL, facts)


def claims(family: Family, *collected: Collected) -> dict[str, Section]:
    return {section.name: section for section in observe(family, collected, NOW)}


def ids(*pairs: tuple[str, str]) -> frozenset[Identifier]:
    return frozenset(Identifier(*pair) for pair in pairs)


def cable(near: str, far: Subject, far_port: str) -> RelationClaim:
    return RelationClaim(
        "connects_to", ITSELF, far, {"from_port": near, "to_port": far_port, "medium": "ethernet"}
    )  # fmt: skip


def test_a_device_is_named_up_to_the_first_dot_and_labelled_by_its_location() -> None:
    family = Family("ups", "power_unit", (Rule(),), system={"vendor": Take(literal="Acme")})

    said = claims(
        family, full("snmp.system", System("UPS1.example.net", location="rack 4, d010210-009", serial=" as1 "))
    )

    assert (
        Statement(
            Subject("power_unit", ids(("serial", "AS1")), "ups1", itself=True),
            {
                "hostname": "UPS1.example.net",
                "location_text": "rack 4, d010210-009",
                "label": "D010210-009",
                "vendor": "Acme",
            },
        ),
    ) == said["snmp.system"].statements


def test_an_address_is_no_name() -> None:
    said = claims(SWITCH, full("snmp.system", System("10.1.2.3")))

    assert said["snmp.system"].statements[0].about.name is None


def test_a_stack_has_the_serials_of_its_members_and_none_of_its_own() -> None:
    said = claims(
        SWITCH,
        full("snmp.system", System("sw1", serial="AAA1")),
        full("snmp.entities", Unit("Switch 2", 2, "C9300", "AAA2"), Unit("Switch 1", 1, "C9300-48", "AAA1", "17.9")),
    )

    (system,) = said["snmp.system"].statements
    (entities,) = said["snmp.entities"].statements
    assert ids(("member_serial", "AAA1")) == system.about.identifiers
    assert ("C9300-48", "17.9") == (system.attributes["model"], system.attributes["version"])
    assert (
        Statement(
            Subject(identifiers=ids(("member_serial", "AAA1"), ("member_serial", "AAA2")), itself=True),
            {},
            (
                Component("unit", "Switch 1", {"model": "C9300-48", "serial": "AAA1", "version": "17.9"}),
                Component("unit", "Switch 2", {"model": "C9300", "serial": "AAA2"}),
            ),
        )
        == entities
    )


def test_one_chassis_is_the_device_itself() -> None:
    said = claims(SWITCH, full("snmp.entities", Unit("Chassis", 1, "C9300", "AAA1")))

    assert (Statement(Subject(identifiers=ids(("serial", "AAA1")), itself=True)),) == said["snmp.entities"].statements


def test_addresses_that_software_made_up_identify_nobody() -> None:
    said = claims(
        SERVER,
        full(
            "ssh.interfaces",
            Interface("lo", "loopback", 1),
            Interface("eno1", "ethernet", 2, "00:00:00:00:aa:01", "00:00:00:00:aa:09"),
            Interface("docker0", "software", 3, "02:42:00:00:00:01", "02:42:00:00:00:01"),
            Interface("veth9", "ephemeral", 4, "a6:00:00:00:00:01", "a6:00:00:00:00:01"),
            Interface("tun0", "tunnel", 5),
            Address("192.0.2.5", 24, "eno1"),
            Address("172.17.0.1", 16, "docker0"),
            Address("127.0.0.1", 8, "lo"),
            Address("fe80::1", 64, "eno1"),
        ),
    )

    (statement,) = said["ssh.interfaces"].statements
    assert ids(("mac", "00:00:00:00:aa:01"), ("mac", "00:00:00:00:aa:09")) == statement.about.identifiers
    assert [("address", "192.0.2.5"), ("interface", "docker0"), ("interface", "eno1")] == [
        (component.kind, component.name) for component in statement.components
    ]


def test_a_port_of_a_fabric_switch_is_an_interface_and_an_fc_port() -> None:
    said = claims(
        Family("fc", "fc_switch", (Rule(),)),
        full("snmp.interfaces", Interface("0/4", "fc", 7, wwn="2004aabbccddeeff", speed=32 * 10**9)),
        full("snmp.fabric", FcPort("2004aabbccddeeff", index=4, oper_up=True)),
    )

    assert (
        Statement(
            Subject(identifiers=ids(("wwn", "2004aabbccddeeff")), itself=True),
            {},
            (
                Component("fc_port", "2004aabbccddeeff", {"wwpn": "2004aabbccddeeff", "speed": 32 * 10**9, "index": 7}),
                Component("interface", "0/4", {"type": "fc", "speed": 32 * 10**9, "index": 7}),
            ),
        ),
    ) == said["snmp.interfaces"].statements
    (port,) = said["snmp.fabric"].statements[0].components
    assert Component("fc_port", "2004aabbccddeeff", {"wwpn": "2004aabbccddeeff", "oper_up": True}) == port


def test_a_machine_whose_firmware_names_a_hypervisor_is_a_virtual_one() -> None:
    said = claims(
        SERVER, full("ssh.system", OperatingSystem(hostname="vm1"), Hardware("QEMU", "Standard PC", hypervisor="KVM"))
    )

    assert (
        Statement(
            Subject("virtual_machine", name="vm1", itself=True),
            {"hostname": "vm1", "vendor": "QEMU", "model": "Standard PC", "hypervisor": "KVM"},
        )
        == said["ssh.system"].statements[0]
    )


def test_a_neighbour_is_named_by_the_strongest_thing_it_says() -> None:
    said = claims(
        SWITCH,
        full("snmp.interfaces", *PORTS),
        full(
            "snmp.lldp",
            LocalPort(1, "Gi1"),
            LocalPort(2, "x", "Gi2"),
            Neighbour(
                "Te1", "", 1, "00:00:00:00:bb:01", "Core1.example.net", "", ("192.0.2.1",), frozenset({"bridge"})
            ),
            Neighbour("1", "", 2, addresses=("192.0.2.2",), capabilities=frozenset({"router"})),
            Neighbour("2", "", 103, name="ap1", capabilities=frozenset({"wlan", "bridge"})),
            Neighbour("3", "", 9),
        ),
    )

    assert (
        cable("Gi1", Subject("network_switch", ids(("mac", "00:00:00:00:bb:01")), "core1"), "Te1"),
        cable("Gi2", Subject("router", address="192.0.2.2"), "1"),
        cable("Po1", Subject("wireless", name="ap1"), "2"),
    ) == said["snmp.lldp"].relations


def learnt(*rows: tuple[str, int]) -> Collected:
    return full("snmp.forwarding", *BASES, *(Learnt(mac, port) for mac, port in rows))


HOST, OTHER = "00:00:00:00:cc:01", "00:00:00:00:cc:02"


def test_a_port_with_one_address_and_no_neighbour_is_a_cable_to_its_owner() -> None:
    said = claims(
        SWITCH,
        full("snmp.interfaces", *PORTS),
        full("snmp.lldp", Neighbour("Te1", "Gi2", chassis_mac="00:00:00:00:bb:01")),
        learnt((HOST, 1), ("00:00:5e:00:01:0a", 1), ("00:00:00:00:bb:01", 2), (OTHER, 3)),
    )

    assert (cable("Gi1", Subject(identifiers=ids(("mac", HOST))), HOST),) == said["snmp.forwarding"].relations


def test_a_port_with_two_addresses_says_nothing_of_its_cable() -> None:
    said = claims(SWITCH, full("snmp.interfaces", *PORTS), learnt((HOST, 1), (OTHER, 1), ("00:00:00:00:aa:02", 2)))

    assert () == said["snmp.forwarding"].relations


def test_cables_are_not_guessed_where_the_neighbours_are_not_all_known() -> None:
    said = claims(
        SWITCH,
        full("snmp.interfaces", *PORTS),
        Collected("snmp.lldp", Completeness.PARTIAL, (), "cut short"),
        learnt((HOST, 1)),
    )

    found = said["snmp.forwarding"]
    assert (Completeness.PARTIAL, (), "who is at a port is not told: the LLDP neighbours are not all known") == (
        found.completeness,
        found.relations,
        found.problem,
    )


SYSTEM = full("ssh.system", OperatingSystem("Acme 9", "Acme", "9", "Linux 6", "x86_64", "app1", "ab" * 16))
SYSTEM_SUBJECT = Subject("operating_system", name="Acme 9 on app1", owner=ITSELF, key="ab" * 16)


def process(name: str) -> Subject:
    return Subject("process", name=f"{name} on app1", owner=ITSELF, key=name)


LISTENERS = (
    Listener("*", 8443, (Owner("java", 7),)),
    Listener("192.0.2.5", 8080, (Owner("java", 7),)),
    Listener("127.0.0.1", 8005, (Owner("java", 7),)),
    Listener("127.0.0.1", 25, (Owner("master", 9),)),
    Listener("::1", 25, (Owner("master", 9),)),
    Listener("*", 80, (Owner("nginx", 11), Owner("nginx", 12))),
    Listener("*", 5353),
)


def test_processes_that_others_can_reach_run_on_the_operating_system() -> None:
    said = claims(
        SERVER, SYSTEM, full("ssh.processes", *LISTENERS, Process(7, "tomcat", "java"), Process(11, "root", "nginx"))
    )

    assert (
        Statement(process("java:8080"), {"command": "java", "port": 8080, "user": "tomcat"}),
        Statement(process("nginx:80"), {"command": "nginx", "port": 80, "user": "root"}),
    ) == said["ssh.processes"].statements[1:]
    assert (
        RelationClaim("runs_on", process("java:8080"), SYSTEM_SUBJECT),
        RelationClaim("runs_on", process("nginx:80"), SYSTEM_SUBJECT),
    ) == said["ssh.processes"].relations
    assert (RelationClaim("runs_on", SYSTEM_SUBJECT, ITSELF),) == said["ssh.system"].relations


def test_a_listener_is_one_component_for_both_versions() -> None:
    said = claims(SERVER, full("ssh.listeners", Listener("127.0.0.1", 25), Listener("::1", 25)))

    assert (
        Statement(
            ITSELF,
            {},
            (Component("listener", "tcp/25", {"protocol": "tcp", "port": 25, "addresses": ("127.0.0.1", "::1")}),),
        ),
    ) == said["ssh.listeners"].statements


def test_who_opened_a_connection_depends_on_who_listens_there() -> None:
    connections = (
        Connection("192.0.2.5", 41000, "192.0.2.9", 5432, (Owner("java", 7),)),
        Connection("192.0.2.5", 41001, "192.0.2.9", 5432, (Owner("java", 7),)),  # the same again
        Connection("192.0.2.5", 8080, "192.0.2.7", 50000, (Owner("java", 7),)),  # somebody who needs us
        Connection("127.0.0.1", 41002, "127.0.0.1", 6379, (Owner("java", 7),)),  # nobody else's business
        Connection("192.0.2.5", 41003, "192.0.2.8", 8080, (Owner("nginx", 99),)),  # a worker of nginx
        Connection("192.0.2.5", 41004, "192.0.2.8", 22, (Owner("ssh", 200),)),  # a person
    )

    said = claims(SERVER, SYSTEM, full("ssh.processes", *LISTENERS), full("ssh.connections", *connections))

    assert (
        RelationClaim(
            "depends_on", process("java:8080"), Subject(address="192.0.2.9", port=5432), {"port": 5432, "assumed": True}
        ),
        RelationClaim(
            "depends_on", process("nginx:80"), Subject(address="192.0.2.8", port=8080), {"port": 8080, "assumed": True}
        ),
    ) == said["ssh.connections"].relations


def test_a_denied_section_says_nothing_but_why() -> None:
    denied = Collected("ssh.processes", Completeness.DENIED, (), "ss needs root", "hash-1")

    assert (
        Section("ssh.processes", NOW, Completeness.DENIED, problem="ss needs root", evidence="hash-1")
        == claims(SERVER, SYSTEM, denied)["ssh.processes"]
    )
