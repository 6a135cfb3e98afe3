"""What is taken out of replies: lines as they stand on real machines and in real gear. The secrets are made up."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.kept import section_in
from discovery.ports import NamedCredential
from discovery.scan import Scan, ScanSettings
from discovery.scrub import MARK, Scrubber, known_secrets
from discovery.targets import read_targets
from discovery.transport.base import Auth, Output, Priv, Secret, SnmpCommunity, SnmpUser, SshKey, SshPassword, parse_oid
from discovery.transport.replies import Replies
from tests.discovery.parts import Credentials, Evidence, Keys, Network, community, only_ssh, password, recorded

S = "Gr8-s3cret!"
"""The secret of every line below; `·` stands for it."""

COMMAND_LINES = [
    "mysqldump -uroot -p· --all-databases",
    "/usr/bin/mysql --user=app --password=· shop",
    "/usr/bin/mysql --user app --password · shop",
    "mariadb-backup --backup -u backup -p· --target-dir=/srv",
    "-uroot -p· shop",
    "sshpass -p · ssh admin@10.0.0.1",
    "sshpass -p· scp x admin@10.0.0.1:",
    "curl -sS -u admin:· https://vcenter/rest",
    "curl --user svc:· -k https://10.0.0.1/api",
    "wget --http-user=me --http-password=· https://host/f",
    "curl -H Authorization: Bearer · https://host",
    "psql postgresql://shop:·@db1:5432/shop?sslmode=require",
    "git clone https://deploy:·@git.example.net/x.git",
    "/usr/bin/redis-cli -h cache1 -a · ping",
    "/usr/bin/redis-server requirepass ·",
    "ldapsearch -x -D cn=admin,dc=example -w · -b dc=example",
    "snmpwalk -v2c -c · 10.0.0.9 system",
    "snmpget -v3 -u nms -l authPriv -a SHA -A · -x AES -X · 10.0.0.9 sysName.0",
    "ipmitool -I lanplus -H bmc1 -U ADMIN -P · chassis status",
    "java -Djavax.net.ssl.keyStorePassword=· -Dspring.datasource.password=· -jar app.jar",
    "java -jar jenkins-cli.jar -auth admin:· build x",
    "keytool -list -keystore k.jks -storepass · -keypass ·",
    "openssl rsa -in k.pem -passin pass:· -out o.pem",
    "sqlplus -s scott/·@ORCL @report.sql",
    "expdp system/·@ORCL schemas=HR",
    "rman target sys/·@PROD catalog rcat/·@CAT",
    "/opt/mssql-tools/bin/sqlcmd -S db -U sa -P · -Q select",
    "smbclient //nas/backup -U backup%·",
    "mount -t cifs //nas/b /mnt -o username=b,password=·",
    "xfreerdp /u:admin /p:· /v:ts1",
    "docker login -u ci -p · registry.example.net",
    "mongodump --host db -u root -p · --authenticationDatabase admin",
    "mosquitto_sub -h broker -u dev -P · -t a/b",
    "zip -r -P · out.zip dir",
    "lftp -u backup,· sftp://10.0.0.2",
    "htpasswd -bc /etc/x/.htpasswd ann ·",
    "kubectl --token=· get pods",
    "vault login token=·",
    "node exporter.js --api-key · --port 9100",
    "./agent --secret-key=· --access-key AKIAXXXXXXXXXXXXXXXX".replace("AKIAXXXXXXXXXXXXXXXX", "·"),
    "PGPASSWORD=· pg_dump shop",
    "MYSQL_PWD=· mysqldump shop",
    "AWS_SECRET_ACCESS_KEY=· AWS_SESSION_TOKEN=· aws s3 ls",
    "rclone copy x: y: --sftp-pass ·",
    "jdbc:oracle:thin:shop/·@db1:1521:PROD",
    "jdbc:sqlserver://db1;databaseName=x;user=sa;password=·",
    "jdbc:mysql://db1/shop?user=shop&password=·",
]

FILES = [
    "rocommunity ·  10.0.0.0/8",
    "rwcommunity6 · default -V systemonly",
    "com2sec readonly 10.0.0.0/8 ·",
    "com2sec -Cn ctx readonly default ·",
    'createUser nms SHA "·" AES "·"',
    "createUser -e 0x8000 nms SHA-512 · AES-256 ·",
    "trapsink 10.0.0.9 ·",
    "trap2sink nms.example.net · 162",
    "authcommunity log,execute ·",
    "defAuthPassphrase ·",
    "usmUser 1 3 0x80001f8880 0x6e6d7300 0x6e6d7300 NULL .1.3.6.1.6.3.10.1.1.3 ·",
    "machine git.example.net login ann password ·",
    "bindpw ·",
    "psk=·",
    'wpa_passphrase="·"',
    '{"user": "shop", "password": "·", "port": 5432}',
    '{"cmd":"x --password=·","n":1}',
    '{"log":"{\\"client_secret\\":\\"·\\",\\"n\\":1}"}',
    "password: ·",
    "  secret_key_base: ·",
    "<add name='x' /><password>·</password>",
    "DB_PASSWORD='·'",
    "aws_secret_access_key = ·",
    "X-Auth-Token: ·",
    "Cookie: session=·",
    "requirepass ·",
]

GEAR = [
    "snmp-server community · RO 10",
    'snmp-server community "·" operator',
    "snmp-server host 10.0.0.9 version 2c ·",
    "snmp-server host inside 10.0.0.9 ·",
    "snmp-server user nms NET v3 auth sha · priv aes 128 ·",
    "enable secret 5 ·",
    "enable password ·",
    "username admin privilege 15 secret 9 ·",
    "username admin password 7 ·",
    " password 7 ·",
    "tacacs-server host 10.0.0.5 key 7 ·",
    "radius-server host 10.0.0.5 auth-port 1812 acct-port 1813 key ·",
    "crypto isakmp key · address 192.0.2.9",
    " key 7 ·",
    "  key-string 7 ·",
    "ntp authentication-key 1 md5 · 7",
    " neighbor 10.0.0.2 password 7 ·",
    " ip ospf message-digest-key 1 md5 7 ·",
    " ip ospf authentication-key ·",
    " standby 1 authentication ·",
    " ppp chap password 0 ·",
    " wpa-psk ascii 0 ·",
    " pre-shared-key local ·".replace("local ", ""),
    "set snmp community · authorization read-only",
    'set system root-authentication encrypted-password "·"',
    'set system tacplus-server 10.0.0.5 secret "·"',
    "snmp-agent community read cipher ·",
    "snmp-agent usm-user v3 nms NET authentication-mode sha cipher · privacy-mode aes128 cipher ·",
    " local-user admin password irreversible-cipher ·",
    "        set password ENC ·",
    '        set psksecret "·"',
    "password manager user-name admin sha1 ·",
    "/snmp community add name=· addresses=10.0.0.0/8",
]

HARMLESS = [
    'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=812,fd=3))',
    "  812 root     sshd",
    "PWD=/root OLDPWD=/home/ann SHELL=/bin/bash",
    "ssh -p 2222 ann@host",
    "nginx -p /etc/nginx -c nginx.conf",
    "ps -u root -p1234",
    "tar -cpf x.tar dir",
    "mysqld --port=3306 --datadir=/var/lib/mysql",
    "mysql -P 3306 -h db1",
    "https://www.debian.org/support?x=1:2@3".partition("?")[0],
    'BUG_REPORT_URL="https://bugs.debian.org/"',
    "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
    "Linux web1 6.1.0-18-amd64 x86_64",
    "PasswordAuthentication yes",
    "Gi1/0/1 to core-a port Te1/1/1, patch panel 3",
    "Cisco IOS Software, C2960 Software, Version 15.0(2)SE",
    '[{"ifname":"eth0","address":"52:54:00:12:34:56"}]',
    "key management server at 10.0.0.4",
    "rsync --exp system/x --partial",
    "no service password-encryption",
]


@pytest.mark.parametrize("line", [*COMMAND_LINES, *FILES, *GEAR])
def test_a_secret_is_taken_out_and_the_rest_stays(line: str) -> None:
    scrubbed = Scrubber().text(line.replace("·", S))

    assert S not in scrubbed
    if (
        "usmUser" not in line
        and "snmp-server host" not in line
        and "Cookie" not in line
        and "Authorization" not in line
    ):
        assert scrubbed == line.replace("·", MARK)


@pytest.mark.parametrize(
    "secret",
    [
        "$6$rounds=5000$saltsalt$u8Nl1fAkLQW0y",
        "$2b$12$abcdefghijklmnopqrstuuKrbYxJ",
        "$9$8Hwk.PQzn9p0I8X.PTz3yrlvLx",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "glpat-abcdefghij0123456789",
        "xoxb-0123456789-abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "cmdb_0123456789abcdefghijklmnop",
    ],
)
def test_what_nothing_but_a_secret_looks_like_is_taken_out_wherever_it_stands(secret: str) -> None:
    assert Scrubber().text(f"root:{secret}:19000") == f"root:{MARK}:19000"


def test_a_private_key_is_taken_out_whole() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\naC1rZXk=\n-----END OPENSSH PRIVATE KEY-----\n"

    scrubbed = Scrubber().text(f"before\n{key}between\n{key}after")

    assert "b3BlbnNz" not in scrubbed
    assert "aC1rZXk" not in scrubbed
    assert scrubbed.startswith("before\n")
    assert "between" in scrubbed
    assert scrubbed.endswith("after")


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_no_secret_stays(line: str) -> None:
    assert Scrubber().text(line) == line


def test_what_opens_the_device_is_taken_out_as_it_is_written() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAkeyline1\nAAAAkeyline2\n-----END OPENSSH PRIVATE KEY-----"
    scrubber = Scrubber.against(
        [
            NamedCredential("a", SnmpCommunity(2, Secret("n3twrk"))),
            NamedCredential("b", SnmpUser("u", Auth.SHA1, Secret("auth-words"), Priv.DES, Secret("priv-words"))),
            NamedCredential("c", SshPassword("u", Secret('p"ss/w rd&'))),
            NamedCredential("d", SshKey("u", Secret(key), Secret("open-sesame"))),
            NamedCredential("e", SnmpCommunity(2, Secret("public"))),
        ]
    )

    assert [
        scrubber.text(line)
        for line in (
            "n3twrk is no part of n3twrk2",
            "xauth-words priv-words",
            'p"ss/w rd& and p%22ss%2Fw%20rd%26 and "p\\"ss/w rd&"',
            "AAAAkeyline2 open-sesame",
            "a public place",
        )
    ] == [
        f"{MARK} is no part of n3twrk2",
        f"x{MARK} {MARK}",
        f'{MARK} and {MARK} and "{MARK}"',
        f"{MARK} {MARK}",
        "a public place",
    ]


def test_octets_that_are_no_text_stay_and_objects_that_hold_secrets_do_not() -> None:
    scrubber = Scrubber()
    name = parse_oid("1.3.6.1.6.3.18.1.1.1.2.1.1")

    assert scrubber.value((1, 3), b"\x00\x1b\x54\xaa\x00\x01") == b"\x00\x1b\x54\xaa\x00\x01"
    assert scrubber.value((1, 3), b"\xff password=hunter2") == b"\xff password=***"
    assert scrubber.value((1, 3), 5) == 5
    assert scrubber.value(name, b"n3twrk") == b"***"


FRAGMENTS = st.sampled_from(
    ["password", "=", ": ", '"', "'", "\\", " ", "--", "-p", "mysql ", "x", "token", "\n", "://", "a:b@", "secret ",
     "$6$", "psk", "abc", "{", "}", ",", "key", "snmp-server community ", "Authorization: ", "pass:", "<password>", "<"]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS, max_size=12).map("".join)


@given(text=TEXTS)
def test_twice_takes_nothing_more_out_of_what_is_parsed_and_kept(text: str) -> None:
    once = Scrubber().text(text)

    assert Scrubber().text(once) == once


@given(
    document=st.dictionaries(TEXTS, st.one_of(TEXTS, st.integers(), st.none(), st.lists(TEXTS, max_size=2)), max_size=4)
)
def test_json_stays_json(document: dict[str, object]) -> None:
    for separators in ((",", ":"), (", ", ": ")):
        json.loads(Scrubber().text(json.dumps(document, separators=separators)))


def test_every_pattern_takes_something_out_of_a_line_above() -> None:
    lines = [line.replace("·", S) for line in (*COMMAND_LINES, *FILES, *GEAR)]
    shapes = ["$6$saltsalt$u8Nl1f", "ghp_0123456789abcdefghijABCDEFGHIJ012345", "https://0123456789abcdefghij0123@git/x",
              "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END"]  # fmt: skip

    idle = [
        pattern.name
        for pattern in known_secrets().patterns
        if not any(
            pattern.regex.search(line) and any(hint in line.lower() for hint in pattern.hints)
            for line in lines + shapes
        )
    ]

    assert idle == []


def test_what_is_parsed_is_what_is_kept_and_no_secret_of_the_dial_is_in_it() -> None:
    host = recorded("linux", "dell_database")
    told = Replies(shell={**host.shell}, ssh=host.ssh)
    told.shell["hostname"] = Output(b"db1-right-now\n", b"warning: PGPASSWORD=hunter2 is set\n")
    evidence = Evidence()
    credentials = Credentials([("0.0.0.0/0", community()), ("0.0.0.0/0", password("login", "right"))])
    scan = Scan(
        read_targets(["10.0.0.1"]), ScanSettings(), credentials, Keys(), evidence,
        dialler=Network({"10.0.0.1": only_ssh(told)}),
    )  # fmt: skip

    (found,) = scan

    kept = b"".join(evidence.kept.values())
    replies = [reply for content in evidence.kept.values() for reply in section_in(content).replies]
    assert b"hunter2" not in kept
    assert re.search(rb"\bright\b", kept) is None
    assert found.name == "db1-***-now"
    assert ["db1-***-now\n"] == [reply["stdout"] for reply in replies if reply.get("run") == "hostname"]
