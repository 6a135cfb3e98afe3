"""Every cable of the site, once. What is seen from both ends is rendered from here for both."""

from __future__ import annotations

from lab.description import Cable

_CORE = (
    Cable("core1", "Te1/0/15", "core2", "Te1/0/15"),  # Two in parallel: one port channel, two cables.
    Cable("core1", "Te1/0/16", "core2", "Te1/0/16"),
)
_RING = (
    Cable("core1", "Te1/0/1", "acc1", "Te1/1/1"),
    Cable("acc1", "Te3/1/1", "acc2", "Te1/1/1"),
    Cable("acc2", "Te1/1/2", "acc3", "Ethernet49"),
    Cable("acc3", "Ethernet50", "acc4", "Ethernet49"),
    Cable("acc4", "Ethernet50", "core2", "Te1/0/1"),
)
BLOCKED = _RING[2]
"""The cable of the ring on which spanning tree lets nothing through."""

_EDGE = (
    Cable("fw1", "port1", "core1", "Te1/0/2"),
    Cable("fw1", "port2", "core2", "Te1/0/2"),
    Cable("mgm1", "Ten-GigabitEthernet1/0/25", "core1", "Te1/0/3"),
    Cable("acc2", "Gi1/0/24", "lobby-sw", "24"),
)
_SERVERS = (
    Cable("web1", "eno1", "acc1", "Gi1/0/1"),
    Cable("web1", "eno2", "acc2", "Gi1/0/1"),
    Cable("web2", "eno1", "acc1", "Gi2/0/1"),
    Cable("web2", "eno2", "acc2", "Gi1/0/2"),
    Cable("app1", "eno1", "acc1", "Gi3/0/1"),
    Cable("app1", "eno2", "acc2", "Gi1/0/3"),
    Cable("db1", "eno1", "acc1", "Gi2/0/2"),
    Cable("db1", "eno2", "acc2", "Gi1/0/4"),
    Cable("web3", "eno1", "acc3", "Ethernet1"),
    Cable("app2", "ens1f0", "acc3", "Ethernet2"),
    Cable("app2", "ens1f1", "acc4", "Ethernet1"),
    Cable("db2", "ens1f0", "acc3", "Ethernet3"),
    Cable("db2", "ens1f1", "acc4", "Ethernet2"),
    Cable("bkp1", "eno1", "acc3", "Ethernet4", "fdb"),
    Cable("bkp1", "eno2", "acc4", "Ethernet3", "fdb"),
    Cable("power1", "T1", "acc3", "Ethernet5", "declared"),
    Cable("power1", "T2", "acc4", "Ethernet4", "declared"),
)
_MANAGEMENT = tuple(
    Cable(device, port, "mgm1", f"GigabitEthernet1/0/{number}", "fdb")
    for number, (device, port) in enumerate(
        (
            ("ups1", "eth0"), ("ups2", "eth0"), ("array1", "mgmt"), ("bmc-db1", "eth0"), ("pdu-a", "eth0"),
            ("pdu-b", "eth0"), ("fcsw1", "eth0"), ("fcsw2", "eth0"), ("hmc1", "eth0"), ("tape1", "eth0"),
            ("sensor-a", "eth0"), ("sensor-b", "eth0"),
        ),
        start=1,
    )
)  # fmt: skip


def _fabric(switch: str, *wwpns: tuple[str, str]) -> tuple[Cable, ...]:
    return tuple(Cable(switch, f"0/{port}", device, wwpn, "fc") for port, (device, wwpn) in enumerate(wwpns))


_FABRICS = (
    *_fabric("fcsw1", ("db1", "10000090fa060001"), ("db2", "10000090fa070001"), ("bkp1", "10000090fa080001"),
             ("power1", "10000090fab10001"), ("array1", "207000c0ffa1a100"), ("array1", "247000c0ffa1a100"),
             ("tape1", "500507631a2b0001")),
    *_fabric("fcsw2", ("db1", "10000090fa060002"), ("db2", "10000090fa070002"), ("power1", "10000090fab10002"),
             ("array1", "217000c0ffa1a100"), ("array1", "257000c0ffa1a100")),
)  # fmt: skip

CABLES: tuple[Cable, ...] = (*_CORE, *_RING, *_EDGE, *_SERVERS, *_MANAGEMENT, *_FABRICS)
