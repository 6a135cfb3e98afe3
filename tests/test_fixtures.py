"""The servers that the fixtures start are real, and ours."""

from __future__ import annotations

import asyncio
import subprocess
from urllib.parse import urlsplit

import asyncssh
import neo4j
from gufo.snmp import SnmpVersion
from gufo.snmp.sync import SnmpSession
from gufo.snmp.user import Aes128Key, KeyType, Sha1Key, User

from tests.fixtures.snmpd import COMMUNITY, SYS_NAME, Snmpd, StartSnmpd
from tests.fixtures.sshd import Account, Sshd, SshKey, StartSshd

SYS_NAME_0 = "1.3.6.1.2.1.1.5.0"  # SNMPv2-MIB::sysName.0


def test_a_neo4j_server_answers_with_its_own_password(neo4j_url: str) -> None:
    url = urlsplit(neo4j_url)

    with neo4j.GraphDatabase.driver(
        f"neo4j://{url.hostname}:{url.port}", auth=(url.username or "", url.password or "")
    ) as driver:
        records, _, _ = driver.execute_query("CALL dbms.components() YIELD name, edition RETURN name, edition")

    assert [("Neo4j Kernel", "community")] == [(row["name"], row["edition"]) for row in records]


def test_an_snmpd_answers_to_its_community(snmpd: Snmpd) -> None:
    assert SYS_NAME.encode() == _sys_name(snmpd, community=COMMUNITY)


def test_a_further_snmpd_has_its_own_configuration_and_address(start_snmpd: StartSnmpd) -> None:
    agent = start_snmpd(
        [
            "rocommunity secret",
            "sysName other",
            "createUser reader SHA authpass1234 AES privpass1234",
            "rouser reader priv",
        ],
        address="127.0.3.1",
    )

    assert agent.address == "127.0.3.1"
    assert _sys_name(agent, community="secret") == b"other"
    user = User(
        name="reader",
        auth_key=Sha1Key(b"authpass1234", key_type=KeyType.Password),
        priv_key=Aes128Key(b"privpass1234", key_type=KeyType.Password),
    )
    assert _sys_name(agent, user=user) == b"other"


def _sys_name(agent: Snmpd, community: str = "", user: User | None = None) -> object:
    version = SnmpVersion.v2c if user is None else SnmpVersion.v3
    with SnmpSession(
        agent.address, port=agent.port, community=community, user=user, version=version, timeout=5
    ) as session:
        return session.get(SYS_NAME_0)


def test_an_sshd_accepts_its_key_and_its_password_and_shows_its_host_key(sshd: Sshd, ssh_key: SshKey) -> None:
    (account,) = sshd.accounts
    key = asyncssh.import_private_key(ssh_key.private)

    by_key = _run(sshd, "id -un", account, client_keys=[key])
    by_password = _run(sshd, "id -un", account, client_keys=None, password=account.password)

    assert (by_key, by_password) == ("scanner\n", "scanner\n")


def test_a_further_sshd_is_a_host_of_its_own(start_sshd: StartSshd) -> None:
    account = Account("monitor", password="correct horse")
    server = start_sshd(
        account,
        hostname="db-7",
        files={"/etc/hostname": "db-7\n"},
        sys_class={"dmi/id/product_serial": "CZ1234567", "fc_host/host0/port_name": "0x10000090fa534cd0"},
        config=["MaxStartups 3:30:10"],
        address="127.0.3.2",
    )

    said = _run(
        server,
        "hostname; cd /sys/class; cat /etc/hostname dmi/id/product_serial fc_host/host0/port_name; ls net",
        account,
        client_keys=None,
        password="correct horse",
    )

    assert said.split()[:4] == ["db-7", "db-7", "CZ1234567", "0x10000090fa534cd0"]
    assert "lo" in said.split()[4:]
    here = subprocess.run(["hostname"], capture_output=True, text=True, check=True).stdout
    assert here.strip() != "db-7"


def _run(server: Sshd, command: str, account: Account, **credentials: object) -> str:
    async def ask() -> str:
        known = asyncssh.import_known_hosts(f"[{server.address}]:{server.port} {server.host_key}\n")
        async with asyncssh.connect(
            server.address,
            server.port,
            username=account.name,
            known_hosts=known,
            config=None,
            agent_path=None,
            **credentials,
        ) as connection:
            done = await connection.run(command, check=True, timeout=20)
            return str(done.stdout)

    return asyncio.run(ask())


def test_chromium_starts(chromium: str) -> None:
    said = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout

    assert said.startswith("Chromium ")
