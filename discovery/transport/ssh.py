"""Connects to SSH servers: host key first, then the log-in, then shells and terminals."""

from __future__ import annotations

import contextlib
import io
import logging
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from discovery.transport.base import (
    CredentialRefused,
    Endpoint,
    Garbled,
    HostKey,
    HostKeys,
    Refused,
    Secret,
    Shell,
    Ssh,
    SshCredential,
    SshKey,
    SshLimits,
    Terminal,
    TimedOut,
    TransportError,
)
from discovery.transport.ssh_dial import check_host_key, dialled
from discovery.transport.ssh_script import ScriptShell
from discovery.transport.ssh_stream import Chunk, Stream
from discovery.transport.ssh_terminal import PromptTerminal

# paramiko logs every failure as an error; ours are values. Without a handler Python would print them.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_CHUNK = 256 * 1024
_KEY_CLASSES: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server shows to anyone: its version line and the host key that it proved to have."""

    banner: str
    host_key: HostKey


class SshDialler:
    """Connects, never with more than a few connections to one endpoint in their log-in at once.

    sshd drops those above MaxStartups: of fifty at once two fifths were lost. Safe to use from several threads.
    """

    def __init__(self, limits: SshLimits | None = None) -> None:
        self._limits = limits or SshLimits()
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[Endpoint, _Turns] = WeakValueDictionary()

    def greet(self, endpoint: Endpoint) -> Greeting:
        """Shake hands without a credential."""
        with self._turn(endpoint):
            transport = _shaken(endpoint, self._limits, ())
        try:
            return Greeting(_banner(transport), _host_key(transport))
        finally:
            transport.close()

    def connect(self, endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys) -> Ssh:
        """Connect, check the host key, log in. Raises TransportError."""
        proof = _private_key(credential) if isinstance(credential, SshKey) else credential.password

        def dial() -> paramiko.Transport:
            with self._turn(endpoint):
                known = tuple(host_keys.known(endpoint.address, endpoint.port))
                transport = _shaken(endpoint, self._limits, known)
                try:
                    check_host_key(endpoint, _host_key(transport), known, host_keys)
                    _log_in(transport, endpoint, credential.user, proof)
                except BaseException:
                    transport.close()
                    raise
                return transport

        try:
            return Connection(endpoint, credential, self._limits, dial)
        except OldAlgorithmsOnly:
            if not credential.legacy:
                raise
        from discovery.transport.ssh_legacy import connect_legacy  # noqa: PLC0415 costs 0.3 s, and few hosts need it

        with self._turn(endpoint):
            return connect_legacy(endpoint, credential, host_keys, self._limits)

    @contextmanager
    def _turn(self, endpoint: Endpoint) -> Iterator[None]:
        with self._lock:
            turns = self._turns.get(endpoint)
            if turns is None:
                turns = self._turns[endpoint] = _Turns(self._limits.connects_per_host)
        with turns.semaphore:
            yield


class _Turns:
    def __init__(self, count: int) -> None:
        self.semaphore = threading.BoundedSemaphore(count)


class OldAlgorithmsOnly(Refused):
    """The host offers no algorithm that is still trusted."""


class Connection:
    """An Ssh over paramiko. Dials again when the host closed the connection behind a session."""

    def __init__(
        self,
        endpoint: Endpoint,
        credential: SshCredential,
        limits: SshLimits,
        dial: Callable[[], paramiko.Transport],
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._limits = limits
        self._dial = dial
        self._transport = dial()
        self._is_closed = False

    @property
    def host_key(self) -> HostKey:
        return _host_key(self._transport)

    @property
    def banner(self) -> str:
        return _banner(self._transport)

    def shell(self) -> Shell:
        return ScriptShell(self._run, self._limits, self._credential.sudo, self._credential.user == "root")

    def terminal(self) -> Terminal:
        with translated(self._endpoint, "opening a terminal"):
            channel = self._session()
            # Wide and high, so that little is wrapped or paged; turning paging off is the family's command.
            channel.get_pty(term="vt100", width=511, height=1000)
            channel.invoke_shell()
        return PromptTerminal(ChannelStream(channel, self._endpoint), self._limits)

    def close(self) -> None:
        self._is_closed = True
        self._transport.close()

    def _run(self, command: str) -> Stream:
        with translated(self._endpoint, "starting a shell"):
            channel = self._session()
            channel.exec_command(command)
        return ChannelStream(channel, self._endpoint)

    def _session(self) -> paramiko.Channel:
        if self._is_closed:
            raise TransportError(f"the connection to {self._endpoint} was closed by us")
        if not self._transport.is_active():
            self._transport = self._dial()
        channel = self._transport.open_session(timeout=self._limits.login_s)
        channel.settimeout(self._limits.login_s)
        return channel


class ChannelStream:
    """A Stream over one channel of paramiko."""

    def __init__(self, channel: paramiko.Channel, endpoint: Endpoint) -> None:
        self._channel = channel
        self._endpoint = endpoint
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)

    def send(self, data: bytes) -> None:
        with translated(self._endpoint, "sending"):
            try:
                self._channel.sendall(data)
            except OSError:
                # It ended before it was asked: what it said is still to be read, and `receive` tells its end.
                if not self._channel.closed:
                    raise

    def end_input(self) -> None:
        with translated(self._endpoint, "sending"):
            self._channel.shutdown_write()

    def receive(self, timeout_s: float) -> Chunk | None:
        with translated(self._endpoint, "receiving"):
            if not self._poll.poll(max(0.0, timeout_s) * 1000):
                return Chunk(b"", b"")
            # Both are drained together: a stream that is left alone fills its window, and the command stands still.
            stdout = self._channel.recv(_CHUNK) if self._channel.recv_ready() else b""
            stderr = self._channel.recv_stderr(_CHUNK) if self._channel.recv_stderr_ready() else b""
            if stdout or stderr or not (self._channel.eof_received or self._channel.closed):
                return Chunk(stdout, stderr)
            return None

    def close(self) -> None:
        self._channel.close()


@contextmanager
def translated(endpoint: Endpoint, doing: str) -> Iterator[None]:
    """Turn the errors of sockets and of paramiko into ours."""
    try:
        yield
    except TransportError:
        raise
    except IncompatiblePeer as error:
        raise OldAlgorithmsOnly(f"{endpoint} offers only algorithms that are no longer trusted: {error}") from error
    except paramiko.AuthenticationException as error:
        raise CredentialRefused(f"{endpoint} refuses the log-in: {error}") from error
    except paramiko.ChannelException as error:
        raise Refused(f"{endpoint} grants no session while {doing}: {error}") from error
    except TimeoutError as error:
        raise TimedOut(f"{endpoint} took too long while {doing}") from error
    except (EOFError, ConnectionError) as error:
        raise Refused(f"{endpoint} ended the connection while {doing}") from error
    except paramiko.SSHException as error:
        if isinstance(error.__context__, (EOFError, ConnectionError)):
            raise Refused(f"{endpoint} ended the connection while {doing}") from error
        raise Garbled(f"{endpoint}, while {doing}: {error}") from error
    except OSError as error:
        raise TransportError(f"{endpoint}, while {doing}: {error}") from error


def _shaken(endpoint: Endpoint, limits: SshLimits, known: tuple[HostKey, ...]) -> paramiko.Transport:
    """Connect and exchange keys. A kind of host key that is known is asked for first."""
    tcp = dialled(endpoint, limits)
    try:
        with translated(endpoint, "exchanging keys"):
            transport = paramiko.Transport(tcp)
    except BaseException:
        tcp.close()
        raise
    try:
        transport.banner_timeout = transport.handshake_timeout = limits.login_s
        transport.auth_timeout = transport.channel_timeout = limits.login_s
        options = transport.get_security_options()
        kinds = {key.kind for key in known}
        options.key_types = sorted(options.key_types, key=lambda kind: _key_kind(kind) not in kinds)
        with translated(endpoint, "exchanging keys"):
            _shake(transport, limits.login_s)
    except BaseException:
        transport.close()
        raise
    return transport


def _shake(transport: paramiko.Transport, timeout_s: float) -> None:
    done = threading.Event()
    transport.start_client(event=done)
    if not done.wait(timeout_s):
        raise TimeoutError("the key exchange did not end")
    if not transport.is_active():
        raise transport.get_exception() or EOFError("the key exchange was ended")


def _key_kind(algorithm: str) -> str:
    """Return the kind of key behind a signature algorithm: an RSA key signs in two ways (RFC 8332)."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _log_in(transport: paramiko.Transport, endpoint: Endpoint, user: str, proof: Secret | paramiko.PKey) -> None:
    started = time.monotonic()
    try:
        with translated(endpoint, f"logging in as {user}"):
            if isinstance(proof, Secret):
                more = transport.auth_password(user, proof.reveal())
            else:
                more = transport.auth_publickey(user, proof)
    except CredentialRefused as error:
        # paramiko has one exception for "no" and for "no answer".
        if time.monotonic() - started >= transport.auth_timeout:
            raise TimedOut(f"{endpoint} took too long while logging in as {user}") from error
        raise
    if more:
        raise CredentialRefused(f"{endpoint} wants more than one proof of {user}: {', '.join(more)}")


def _private_key(credential: SshKey) -> paramiko.PKey:
    text = credential.key_text.reveal()
    passphrase = credential.passphrase.reveal() or None
    for kind in _KEY_CLASSES:
        with contextlib.suppress(paramiko.SSHException, ValueError, TypeError, UnicodeError):
            return kind.from_private_key(io.StringIO(text), passphrase)
    raise CredentialRefused(
        f"the private key of {credential.user} cannot be read: damaged, of an unknown kind, or its passphrase is wrong"
    )


def _host_key(transport: paramiko.Transport) -> HostKey:
    key = transport.get_remote_server_key()
    return HostKey(key.get_name(), key.asbytes())


def _banner(transport: paramiko.Transport) -> str:
    return str(transport.remote_version)
