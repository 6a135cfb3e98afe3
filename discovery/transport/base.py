"""What a transport is: its values, its errors, and the protocols that live and recorded transports share.

Errors, all that ever leaves a transport:

    TransportError
    ├── Silent (also TimeoutError)      nothing came back at all
    ├── TimedOut (also TimeoutError)    it answered before, or began to, and then took too long
    ├── Refused                         somebody said no: port closed, handshake ended
    │   ├── CredentialRefused           the credential was heard and declined
    │   ├── HostKeyUnknown              policy `strict`, and no key is known
    │   └── HostKeyChanged              another key than the one that is known
    └── Garbled                         what came back is not the protocol
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NoReturn, Protocol, TypeAlias

Oid: TypeAlias = tuple[int, ...]
SnmpValue: TypeAlias = int | bytes | Oid
"""INTEGER, counters, gauges and ticks are int; strings, IpAddress (4 bytes) and Opaque (its content) are bytes."""


def parse_oid(text: str) -> Oid:
    """Read `1.3.6.1` or `.1.3.6.1`; ValueError where a part is no number of 32 bits (RFC 2578, 3.5)."""
    parts = text.strip().removeprefix(".").split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"not an OID: {text!r}")
    oid = tuple(int(part) for part in parts)
    if len(oid) > 128 or any(part >= 2**32 for part in oid):
        raise ValueError(f"not an OID: {text!r}")
    return oid


def format_oid(oid: Oid) -> str:
    """Write an OID without a leading dot."""
    return ".".join(map(str, oid))


class TransportError(Exception):
    """Asking a device failed. Its text is for people, and holds no secret."""


class Silent(TransportError, TimeoutError):
    """No answer at all: no such host, a filter, or (SNMP) a community that it does not know."""


class TimedOut(TransportError, TimeoutError):
    """It spoke, but did not finish in time."""


class Refused(TransportError):
    """The host is there and says no."""


class CredentialRefused(Refused):
    """The host heard the credential and declined it; the text says which part, where the protocol tells."""


class HostKeyUnknown(Refused):
    """No host key is known for this endpoint and the policy does not allow to trust the first."""


class HostKeyChanged(Refused):
    """The host showed another key than the known one: a reinstallation, another machine, or an attack."""


class Garbled(TransportError):
    """What came back cannot be read as the protocol."""


class Secret:
    """Text that prints as stars, and can be neither pickled nor written as JSON.

    It wraps the text rather than being a `str`: json, `"".join` and the loggers write the text of a subclass.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """Return the text. For the moment of use; never keep or log it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('*****')"

    def __str__(self) -> str:
        return "*****"

    def __format__(self, spec: str) -> str:
        return format("*****", spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be serialised")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret cannot be serialised")


NO_SECRET = Secret("")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is dialled, after the address map was applied: an IP address (or a name, for SSH) and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class SnmpCommunity:
    """SNMPv1 (`version` 1) or SNMPv2c (2)."""

    version: Literal[1, 2]
    community: Secret


class Auth(StrEnum):
    """Authentication of SNMPv3: RFC 3414 (md5, sha1) and RFC 7860 (HMAC-SHA-2)."""

    NONE = "none"
    MD5 = "md5"
    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class Priv(StrEnum):
    """Privacy of SNMPv3.

    AES-192 and AES-256 were never standardised. Where the authentication's digest is shorter than the key, it is
    extended as in draft-blumenthal-aes-usm-04 (net-snmp and most others) or as Cisco does (Reeder's draft, as for
    3DES); the wrong one looks like silence.
    """

    NONE = "none"
    DES = "des"
    AES128 = "aes128"
    AES192 = "aes192"
    AES256 = "aes256"
    AES192_CISCO = "aes192-cisco"
    AES256_CISCO = "aes256-cisco"


@dataclass(frozen=True, slots=True)
class SnmpUser:
    """A user of SNMPv3's user-based security model. Pass phrases, not localised keys; 8 characters or more."""

    user: str
    auth: Auth = Auth.NONE
    auth_secret: Secret = NO_SECRET
    priv: Priv = Priv.NONE
    priv_secret: Secret = NO_SECRET

    def __post_init__(self) -> None:
        if self.priv != Priv.NONE and self.auth == Auth.NONE:
            raise ValueError("SNMPv3 has no privacy without authentication (RFC 3411, 3.4.3)")
        for used, secret in ((self.auth != Auth.NONE, self.auth_secret), (self.priv != Priv.NONE, self.priv_secret)):
            if used and len(secret.reveal()) < 8:
                raise ValueError("an SNMPv3 pass phrase has at least 8 characters (RFC 3414, 11.2)")


SnmpCredential: TypeAlias = SnmpCommunity | SnmpUser


@dataclass(frozen=True, slots=True)
class SshPassword:
    """Log-in by password. `sudo`: commands marked `root` may be prefixed with `sudo -n`.

    `legacy`: where the host offers only algorithms that are no longer trusted (SHA-1 key exchange, ssh-rsa or DSA
    host keys), talk to it all the same.
    """

    user: str
    password: Secret
    sudo: bool = False
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class SshKey:
    """Log-in by key. `key_text` is the private key's file as text (OpenSSH or PEM); `passphrase` opens it."""

    user: str
    key_text: Secret
    passphrase: Secret = NO_SECRET
    sudo: bool = False
    legacy: bool = False


SshCredential: TypeAlias = SshPassword | SshKey


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public host key as the protocol carries it (RFC 4253, 6.6): its algorithm's name and its blob."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…` as OpenSSH prints it. This is the identifier of scheme `host_key`."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


class HostKeyPolicy(StrEnum):
    """`PIN`: store the first key seen, refuse another. `STRICT`: only keys that are stored already."""

    PIN = "pin"
    STRICT = "strict"


class HostKeys(Protocol):
    """The host keys that are known. Implemented by the operations database; safe to call from several threads."""

    @property
    def policy(self) -> HostKeyPolicy:
        """What to do with an endpoint of which nothing is known."""

    def known(self, address: str, port: int) -> Sequence[HostKey]:
        """Every key that is accepted for this endpoint."""

    def pin(self, address: str, port: int, key: HostKey) -> None:
        """Remember the first key. Called only after `known` said that there is none, under policy `PIN`."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The rows below a root, in the order they came. Not `complete`: `reason` says in words why it ended early."""

    rows: tuple[tuple[Oid, SnmpValue], ...]
    complete: bool = True
    reason: str | None = None


class Snmp(Protocol):
    """One SNMP agent with one credential. Blocking. Both verbs raise TransportError."""

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        """Ask for single objects. What the agent does not have is absent from the answer."""

    def walk(self, root: Oid) -> Walk:
        """Ask for everything below `root`.

        A walk cut short (time-out midway, row cap, deadline, an OID that does not increase) is a partial Walk;
        it raises only when nothing came at all.
        """

    def close(self) -> None:
        """Release what it holds. Twice is harmless."""


@dataclass(frozen=True, slots=True)
class Command:
    """One step of a script. `text` is a line for /bin/sh; `name` is what its Output is found by.

    `root`: run it with `sudo -n` where the credential allows that and the user is not root; without the permission
    it is run as the user.
    """

    name: str
    text: str
    timeout_s: float = 20.0
    root: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """What a command gave. `code` is None where it never ended (connection lost, deadline).

    `truncated`: a byte cap cut it. `denied`: it was to run as root and was not allowed to; stdout then is what the
    unprivileged user got, if anything.
    """

    stdout: bytes
    stderr: bytes = b""
    code: int | None = 0
    truncated: bool = False
    timed_out: bool = False
    denied: bool = False

    @property
    def text(self) -> str:
        """Standard output as text. A byte that is no UTF-8 becomes U+FFFD: it is never a reason to lose the rest."""
        return self.stdout.decode("utf-8", "replace")


class Shell(Protocol):
    """A Unix host with /bin/sh."""

    def run(self, commands: Sequence[Command]) -> dict[str, Output]:
        """Run them one after the other in one channel and script; an Output for every command, by its name.

        Raises TransportError only when the script did not start. What was not reached has `code` None.
        """

    def close(self) -> None:
        """Release what it holds. Twice is harmless."""


class Terminal(Protocol):
    """Network gear with a prompt."""

    def ask(self, line: str, timeout_s: float = 20.0) -> Output:
        """Type one line and return what was printed up to the next prompt, echo and paging removed.

        `code` is 0: a prompt has no return codes. `timed_out` where the prompt did not come back.
        """

    def close(self) -> None:
        """Release what it holds. Twice is harmless."""


class Ssh(Protocol):
    """A connection that is logged in. A host that keeps one session a connection only is dialled again as needed."""

    @property
    def host_key(self) -> HostKey:
        """The key that the host proved to have."""

    @property
    def banner(self) -> str:
        """Its version line, such as `SSH-2.0-OpenSSH_9.2p1 Debian-2` or `SSH-2.0-Cisco-1.25` (RFC 4253, 4.2)."""

    def shell(self) -> Shell:
        """Talk to it as a Unix host."""

    def terminal(self) -> Terminal:
        """Talk to it as network gear; waits for the first prompt."""

    def close(self) -> None:
        """Close the connection and what was opened on it. Twice is harmless."""


@dataclass(frozen=True, slots=True)
class SnmpLimits:
    """How far one agent is pressed. A request waits `timeout_s`, and is sent `retries` times more."""

    timeout_s: float = 2.0
    retries: int = 1
    bulk_rows: int = 25
    max_rows: int = 200_000
    walk_deadline_s: float = 120.0


@dataclass(frozen=True, slots=True)
class SshLimits:
    """How far one host is pressed. Seconds of wall clock; bytes for each of stdout and stderr of each command."""

    connect_s: float = 5.0
    login_s: float = 15.0
    command_bytes: int = 4 * 1024 * 1024
    script_deadline_s: float = 180.0
    connects_per_host: int = 3


@dataclass(frozen=True, slots=True)
class Answered:
    """What an address said to a sweep.

    `communities`: those that were answered, in the order they were given. `engine_id`: of an SNMPv3 agent.
    `refused`: nothing but an ICMP error came; the host is there, the port is closed.
    """

    endpoint: Endpoint
    communities: tuple[SnmpCommunity, ...] = ()
    engine_id: bytes | None = None
    sys_descr: bytes | None = None
    sys_object_id: Oid | None = None
    refused: bool = False
