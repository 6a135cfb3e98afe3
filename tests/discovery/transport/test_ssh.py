"""Against a real sshd; hostile and old servers are small ones of our own."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from discovery.transport.base import (
    Command,
    CredentialRefused,
    Endpoint,
    Garbled,
    HostKey,
    HostKeyChanged,
    HostKeyPolicy,
    HostKeyUnknown,
    Output,
    Refused,
    Secret,
    Silent,
    Ssh,
    SshCredential,
    SshKey,
    SshLimits,
    SshPassword,
    TimedOut,
    TransportError,
)
from discovery.transport.ssh import Greeting, SshDialler
from tests.fixtures.sshd import Account, Sshd, StartSshd
from tests.fixtures.sshd import SshKey as KeyPair

LIMITS = SshLimits(connect_s=2, login_s=5, script_deadline_s=20)


@dataclass
class Known:
    """Host keys in memory."""

    policy: HostKeyPolicy = HostKeyPolicy.PIN
    keys: dict[tuple[str, int], list[HostKey]] = field(default_factory=dict)

    def known(self, address: str, port: int) -> Sequence[HostKey]:
        return self.keys.get((address, port), [])

    def pin(self, address: str, port: int, key: HostKey) -> None:
        self.keys.setdefault((address, port), []).append(key)


def password_of(sshd: Sshd, **options: bool) -> SshPassword:
    account = sshd.accounts[0]
    return SshPassword(account.name, Secret(account.password or ""), **options)


def host_key_of(sshd: Sshd) -> HostKey:
    kind, blob = sshd.host_key.split()
    return HostKey(kind, base64.b64decode(blob))


@contextmanager
def connected(sshd: Sshd, credential: SshCredential | None = None, limits: SshLimits = LIMITS) -> Iterator[Ssh]:
    endpoint = Endpoint(sshd.address, sshd.port)
    with closing(SshDialler(limits).connect(endpoint, credential or password_of(sshd), Known())) as ssh:
        yield ssh


@contextmanager
def tcp_server(answer: bytes, *, closes: bool) -> Iterator[Endpoint]:
    """A server that says this to one client, and closes the connection or waits for the client to do so."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(ConnectionError):
                connection.sendall(answer)
                while not closes and connection.recv(1000):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield Endpoint("127.0.0.1", server.getsockname()[1])
        thread.join()


def test_a_script_gives_every_command_its_own_streams_and_code(sshd: Sshd) -> None:
    commands = [
        Command("both", "echo out; echo err >&2; exit 3"),
        Command("no_newline", "printf 'a\\nb'"),
        Command("nothing", "true"),
        Command("input", "cat; echo read"),
        Command("quotes", """echo "it's" '$HOME'"""),
        Command("locale", "echo $LC_ALL"),
        Command("bytes", r"printf '\377\000x'"),
    ]

    with connected(sshd) as ssh:
        outputs = ssh.shell().run(commands)

    assert outputs == {
        "both": Output(b"out\n", b"err\n", 3),
        "no_newline": Output(b"a\nb"),
        "nothing": Output(b""),
        "input": Output(b"read\n"),
        "quotes": Output(b"it's $HOME\n"),
        "locale": Output(b"C\n"),
        "bytes": Output(b"\xff\x00x"),
    }


def test_a_key_logs_in(sshd: Sshd, ssh_key: KeyPair) -> None:
    credential = SshKey(sshd.accounts[0].name, Secret(ssh_key.private))

    with connected(sshd, credential) as ssh:
        outputs = ssh.shell().run([Command("who", "id -un")])

    assert outputs == {"who": Output(f"{sshd.accounts[0].name}\n".encode())}


def test_a_connection_shows_the_host_key_and_the_version(sshd: Sshd) -> None:
    with connected(sshd) as ssh:
        shown = (ssh.host_key, ssh.banner.split("_")[0])

    assert shown == (host_key_of(sshd), "SSH-2.0-OpenSSH")


def test_a_greeting_needs_no_credential(sshd: Sshd) -> None:
    greeting = SshDialler(LIMITS).greet(Endpoint(sshd.address, sshd.port))

    assert greeting == Greeting(greeting.banner, host_key_of(sshd))
    assert greeting.host_key.fingerprint.startswith("SHA256:")


def test_a_command_that_hangs_costs_only_itself(sshd: Sshd) -> None:
    commands = [Command("before", "echo 1"), Command("hangs", "echo begun; sleep 60", 1), Command("after", "echo 2")]

    with connected(sshd) as ssh:
        outputs = ssh.shell().run(commands)

    assert outputs == {
        "before": Output(b"1\n"),
        "hangs": Output(b"begun\n", b"", 124, timed_out=True),
        "after": Output(b"2\n"),
    }


def test_a_flood_is_cut_and_costs_only_itself(sshd: Sshd) -> None:
    limits = SshLimits(connect_s=2, login_s=5, command_bytes=1000, script_deadline_s=20)
    commands = [Command("long", "head -c 1500 /dev/zero"), Command("flood", "yes"), Command("after", "echo 2")]

    with connected(sshd, limits=limits) as ssh:
        outputs = ssh.shell().run(commands)

    assert outputs == {
        "long": Output(bytes(1000), b"", 0, truncated=True),
        "flood": Output(b"y\n" * 500, b"", None, truncated=True, timed_out=True),
        "after": Output(b"2\n"),
    }


def test_both_streams_are_drained_together(sshd: Sshd) -> None:
    both = "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero"

    with connected(sshd) as ssh:
        outputs = ssh.shell().run([Command("both", both)])

    assert outputs == {"both": Output(bytes(3_000_000), bytes(3_000_000))}


def test_two_commands_of_one_name_are_a_mistake(sshd: Sshd) -> None:
    with connected(sshd) as ssh, pytest.raises(ValueError, match="same name"):
        ssh.shell().run([Command("a", "true"), Command("a", "true")])


def test_what_comes_after_the_deadline_is_not_reached(sshd: Sshd) -> None:
    limits = SshLimits(connect_s=2, login_s=5, script_deadline_s=1)
    commands = [Command("first", "echo 1"), Command("long", "sleep 30"), Command("after", "echo 2")]

    with connected(sshd, limits=limits) as ssh:
        outputs = ssh.shell().run(commands)

    assert outputs == {
        "first": Output(b"1\n"),
        "long": Output(b"", b"", None, truncated=True, timed_out=True),
        "after": Output(b"", b"", None, timed_out=True),
    }


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that every account can read: pytest's own is closed to others."""
    with TemporaryDirectory(prefix="cmdb-ssh-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


WILLING = """#!/bin/sh
[ "$1" = -n ] && shift
AS_ROOT=yes exec "$@"
"""
UNWILLING = """#!/bin/sh
echo 'sudo: a password is required' >&2
exit 1
"""
AS_WHOM = [Command("as_root", "sh -c 'echo ${AS_ROOT:-no}'", root=True), Command("as_user", "echo ${AS_ROOT:-no}")]


@pytest.mark.parametrize(
    ("sudo", "allowed", "expected"),
    [
        (WILLING, True, Output(b"yes\n")),
        (WILLING, False, Output(b"no\n", denied=True)),
        (UNWILLING, True, Output(b"no\n", denied=True)),
        (None, True, Output(b"no\n", denied=True)),
    ],
    ids=["granted", "not allowed by the credential", "refused by the host", "no sudo there"],
)
def test_root_is_asked_for_where_allowed_and_its_refusal_is_told(
    start_sshd: StartSshd, folder: Path, sudo: str | None, allowed: bool, expected: Output
) -> None:
    case = folder / f"{allowed}{hash(sudo)}"
    case.mkdir()
    for name in ("sh", "timeout", "id"):
        (case / name).symlink_to(f"/usr/bin/{name}")
    if sudo is not None:
        program(case, "sudo", sudo)
    sshd = start_sshd(Account(password="swordfish"), config=[f"SetEnv PATH={case}"])

    with connected(sshd, password_of(sshd, sudo=allowed)) as ssh:
        outputs = ssh.shell().run(AS_WHOM)

    assert outputs == {"as_root": expected, "as_user": Output(b"no\n")}


@pytest.mark.parametrize(
    "credential",
    [
        SshPassword("scanner", Secret("wrong")),
        SshPassword("nobody-here", Secret("wrong")),
        SshKey("scanner", Secret("no key at all")),
    ],
    ids=["password", "user", "key text"],
)
def test_a_wrong_credential_is_refused(sshd: Sshd, credential: SshCredential) -> None:
    with pytest.raises(CredentialRefused), connected(sshd, credential):
        pass


def test_a_key_that_is_not_authorised_is_refused(start_sshd: StartSshd, ssh_key: KeyPair) -> None:
    stranger = start_sshd(Account(password="swordfish"))

    with pytest.raises(CredentialRefused), connected(stranger, SshKey("scanner", Secret(ssh_key.private))):
        pass


def test_the_first_host_key_is_pinned_and_the_same_one_accepted(sshd: Sshd) -> None:
    known = Known()
    endpoint = Endpoint(sshd.address, sshd.port)

    for _ in range(2):
        SshDialler(LIMITS).connect(endpoint, password_of(sshd), known).close()

    assert known.keys == {(sshd.address, sshd.port): [host_key_of(sshd)]}


def test_another_host_key_is_refused_and_not_pinned(sshd: Sshd) -> None:
    other = HostKey("ssh-ed25519", b"another")
    known = Known(keys={(sshd.address, sshd.port): [other]})

    with pytest.raises(HostKeyChanged, match=host_key_of(sshd).fingerprint.replace("+", r"\+")):
        SshDialler(LIMITS).connect(Endpoint(sshd.address, sshd.port), password_of(sshd), known)

    assert known.keys == {(sshd.address, sshd.port): [other]}


def test_an_unknown_host_key_is_refused_by_the_strict(sshd: Sshd) -> None:
    known = Known(HostKeyPolicy.STRICT)

    with pytest.raises(HostKeyUnknown):
        SshDialler(LIMITS).connect(Endpoint(sshd.address, sshd.port), password_of(sshd), known)

    assert known.keys == {}


def test_many_connections_to_one_host_take_turns(start_sshd: StartSshd) -> None:
    sshd = start_sshd(Account(password="swordfish"), config=["MaxStartups 6:100:6"])
    dialler, endpoint, known = SshDialler(LIMITS), Endpoint(sshd.address, sshd.port), Known()

    def who(_: int) -> dict[str, Output]:
        with closing(dialler.connect(endpoint, password_of(sshd), known)) as ssh:
            return ssh.shell().run([Command("who", "id -un")])

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(who, range(24)))

    assert answers == [{"who": Output(b"scanner\n")}] * 24


def test_a_closed_port_refuses() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", unused.getsockname()[1])

        with pytest.raises(Refused, match="nothing listens"):
            SshDialler(LIMITS).greet(endpoint)


def test_a_host_that_takes_no_connection_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())

        with pytest.raises(Silent) as raised:
            SshDialler(SshLimits(connect_s=0.2)).greet(Endpoint("127.0.0.1", full.getsockname()[1]))

    assert isinstance(raised.value, TimeoutError)


def test_a_server_that_says_nothing_is_too_slow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(TimedOut):
        SshDialler(SshLimits(connect_s=0.2)).greet(Endpoint("127.0.0.1", mute.getsockname()[1]))


@pytest.mark.parametrize(
    ("answer", "closes", "error"),
    [
        (b"", True, Refused),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, Garbled),
        (b"SSH-2.0-Liar\r\n" + bytes(200), False, Garbled),
        (b"SSH-2.0-Liar\r\n", True, Refused),
    ],
    ids=["closes at once", "another protocol", "garbage after its version", "closes after its version"],
)
def test_what_is_no_ssh_server_is_told_apart(answer: bytes, closes: bool, error: type[TransportError]) -> None:
    with tcp_server(answer, closes=closes) as endpoint, pytest.raises(error) as raised:
        SshDialler(LIMITS).greet(endpoint)

    assert type(raised.value) is error


def test_an_account_without_a_shell_is_told(start_sshd: StartSshd) -> None:
    sshd = start_sshd(Account(password="swordfish", shell="/usr/sbin/nologin"))  # noqa: S604 an account's, not a call's

    with connected(sshd) as ssh, pytest.raises(Refused, match="not available"):
        ssh.shell().run([Command("who", "id")])


# What old servers speak is deprecated, and that it is spoken only on purpose is what these tests are about.
old = pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields", "ignore:.*TripleDES.*", "ignore:.*CBC.*")
OLD = ["KexAlgorithms diffie-hellman-group14-sha1", "HostKeyAlgorithms ssh-rsa", "Ciphers aes128-cbc", "MACs hmac-sha1"]


@pytest.fixture(scope="module")
def old_sshd(start_sshd: StartSshd, ssh_key: KeyPair) -> Sshd:
    return start_sshd(Account(password="swordfish", authorised_key=ssh_key.public), config=OLD, host_key_type="rsa")


def test_old_algorithms_are_refused_by_default(old_sshd: Sshd) -> None:
    with pytest.raises(Refused, match="no longer trusted"), connected(old_sshd):
        pass


@old
@pytest.mark.parametrize("kind", ["password", "key"])
def test_old_algorithms_are_spoken_where_the_credential_allows(old_sshd: Sshd, ssh_key: KeyPair, kind: str) -> None:
    by_key = SshKey("scanner", Secret(ssh_key.private), legacy=True)
    credential = by_key if kind == "key" else password_of(old_sshd, legacy=True)

    with connected(old_sshd, credential) as ssh:
        outputs = ssh.shell().run([Command("both", "echo out; echo err >&2; exit 3"), Command("who", "id -un")])
        shown = (ssh.host_key, ssh.banner.split("_")[0])

    assert outputs == {"both": Output(b"out\n", b"err\n", 3), "who": Output(b"scanner\n")}
    assert shown == (host_key_of(old_sshd), "SSH-2.0-OpenSSH")


@old
def test_old_algorithms_do_not_weaken_the_check_of_the_host_key(old_sshd: Sshd) -> None:
    known = Known(keys={(old_sshd.address, old_sshd.port): [HostKey("ssh-rsa", b"another")]})

    with pytest.raises(HostKeyChanged):
        SshDialler(LIMITS).connect(Endpoint(old_sshd.address, old_sshd.port), password_of(old_sshd, legacy=True), known)


@old
def test_a_wrong_password_is_refused_by_an_old_server_too(old_sshd: Sshd) -> None:
    with pytest.raises(CredentialRefused), connected(old_sshd, SshPassword("scanner", Secret("no"), legacy=True)):
        pass


GEAR = r"""#!/bin/sh
if [ "$1" = -c ]; then echo "% Invalid input detected at '^' marker."; exit 1; fi
stty -icanon -echoctl 2>/dev/null
printf '\r\n Authorised users only # really\r\n\r\nsw-1>'
while read -r line; do
  case $line in
    enable) printf 'sw-1#' ;;
    'show version') printf 'Version 1 > 0\r\nUptime # 3\r\n\033[0msw-1#' ;;
    'show long')
      printf 'row 1\r\nrow 2\r\n --More-- '
      stty -echo; dd bs=1 count=1 2>/dev/null >/dev/null; stty echo
      printf '\r         \rrow 3\r\n--More--'
      stty -echo; dd bs=1 count=1 2>/dev/null >/dev/null; stty echo
      printf '\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\brow 4\r\nsw-1#' ;;
    'configure') printf 'sw-1(config)#' ;;
    'show stuck') printf 'row 1\r\n' ; sleep 60 ;;
    'show drop') printf 'row 1\r\n' ; exit 0 ;;
    *) printf 'sw-1#' ;;
  esac
done
"""


@pytest.fixture(scope="module")
def gear(start_sshd: StartSshd, folder: Path) -> Sshd:
    return start_sshd(Account(password="swordfish", shell=str(program(folder, "gear", GEAR))))


def test_gear_is_asked_at_its_prompt_page_by_page(gear: Sshd) -> None:
    with connected(gear) as ssh, closing(ssh.terminal()) as terminal:
        answers = [terminal.ask(line) for line in ("enable", "show version", "show long", "configure", "show nothing")]

    assert answers == [
        Output(b""),
        Output(b"Version 1 > 0\nUptime # 3\n"),
        Output(b"row 1\nrow 2\nrow 3\nrow 4\n"),
        Output(b""),
        Output(b""),
    ]


@pytest.mark.parametrize("line", ["show stuck", "show drop"])
def test_gear_that_does_not_come_back_gives_what_it_had_said(gear: Sshd, line: str) -> None:
    with connected(gear) as ssh, closing(ssh.terminal()) as terminal:
        answer = terminal.ask(line, 1)

        assert answer == Output(b"row 1\n", b"", None, truncated=True, timed_out=True)
        with pytest.raises(TransportError, match="lost"):
            terminal.ask("show version")


def test_gear_is_no_shell(gear: Sshd) -> None:
    with connected(gear) as ssh, pytest.raises(Refused, match="Invalid input"):
        ssh.shell().run([Command("who", "id")])


def test_a_host_that_shows_no_prompt_is_told(start_sshd: StartSshd, folder: Path) -> None:
    shell = program(folder, "mute", "#!/bin/sh\necho wait\nexec sleep 60\n")
    sshd = start_sshd(Account(password="swordfish", shell=str(shell)))
    limits = SshLimits(connect_s=2, login_s=1)

    with connected(sshd, limits=limits) as ssh, pytest.raises(TimedOut, match="wait"):
        ssh.terminal()


@old
def test_old_gear_has_a_prompt_too(start_sshd: StartSshd, folder: Path) -> None:
    shell = program(folder, "old_gear", GEAR)
    sshd = start_sshd(Account(password="swordfish", shell=str(shell)), config=OLD, host_key_type="rsa")

    with connected(sshd, password_of(sshd, legacy=True)) as ssh, closing(ssh.terminal()) as terminal:
        answer = terminal.ask("show long")

    assert answer == Output(b"row 1\nrow 2\nrow 3\nrow 4\n")
