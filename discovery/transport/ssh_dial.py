"""Opens the TCP connection to an SSH server, and judges its host key. Knows no SSH library."""

from __future__ import annotations

import errno
import socket

from discovery.transport.base import (
    Endpoint,
    HostKey,
    HostKeyChanged,
    HostKeyPolicy,
    HostKeys,
    HostKeyUnknown,
    Refused,
    Silent,
    SshLimits,
    TimedOut,
    TransportError,
)

_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})


def dialled(endpoint: Endpoint, limits: SshLimits) -> socket.socket:
    """Open the TCP connection and wait for the server's first word."""
    try:
        tcp = socket.create_connection((endpoint.address, endpoint.port), timeout=limits.connect_s)
    except ConnectionRefusedError as error:
        raise Refused(f"{endpoint} refuses: nothing listens on this TCP port") from error
    except TimeoutError as error:
        raise Silent(f"{endpoint} does not answer") from error
    except socket.gaierror as error:
        raise Silent(f"{endpoint.address!r} is no address, and no name that can be resolved") from error
    except OSError as error:
        if error.errno in _UNREACHABLE:
            raise Silent(f"{endpoint} is not reachable: {error.strerror}") from error
        raise TransportError(f"{endpoint}: {error}") from error
    try:
        # A script is many small writes; waiting to fill segments would cost 40 ms each.
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first = tcp.recv(4, socket.MSG_PEEK)
    except TimeoutError as error:
        tcp.close()
        raise TimedOut(f"{endpoint} takes the connection, and says nothing") from error
    except OSError as error:
        tcp.close()
        raise Refused(f"{endpoint} takes the connection, and ends it at once") from error
    if not first:
        tcp.close()
        raise Refused(f"{endpoint} takes the connection, and ends it at once: too many connections, perhaps")
    return tcp


def check_host_key(endpoint: Endpoint, shown: HostKey, known: tuple[HostKey, ...], host_keys: HostKeys) -> None:
    """Accept a known key, pin the first one where the policy is to, and raise otherwise."""
    if shown in known:
        return
    if known:
        expected = " or ".join(f"{key.kind} {key.fingerprint}" for key in known)
        raise HostKeyChanged(f"{endpoint} shows {shown.kind} {shown.fingerprint}, and not {expected}")
    if host_keys.policy != HostKeyPolicy.PIN:
        raise HostKeyUnknown(f"{endpoint} shows {shown.kind} {shown.fingerprint}, and no key of it is known")
    host_keys.pin(endpoint.address, endpoint.port, shown)
