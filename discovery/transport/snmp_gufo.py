"""Reads SNMPv1 and v2c with gufo-snmp, which is written in Rust: the fast way, that does not say why something ended.

A table ends alike where its rows end, where the agent reports an error, and where it sends nothing; an object is left
out alike where the agent does not have it and where asking for it failed. `snmp.Session` settles that by asking
the other engine what this one leaves open.

The sockets of `_fast` are used, and not the SnmpSession in front of them: its time-out starts anew with every datagram
that belongs to something else, so that an agent which never stops talking would hold a thread for ever.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gufo.snmp import SnmpError, ValueType
from gufo.snmp._fast import GetIter, SnmpV1ClientSocket, SnmpV2cClientSocket

from discovery.transport.base import Endpoint, Garbled, Oid, SnmpCommunity, SnmpValue, TransportError, format_oid
from discovery.transport.snmp_link import Patience, translated

Row = tuple[Oid, SnmpValue]
_Page = list[tuple[str, ValueType] | None]
_Socket = SnmpV1ClientSocket | SnmpV2cClientSocket

_OS_ERROR = re.compile(r"\(os error (\d+)\)$")  # how an io::Error of Rust ends; the exception has no errno


class FastReader:
    """One agent and community: a socket of its own, one caller at a time."""

    def __init__(self, patience: Patience, credential: SnmpCommunity, bulk_rows: int) -> None:
        self._patience = patience
        self._bulk_rows = bulk_rows
        self._bulk = credential.version == 2
        kind = SnmpV2cClientSocket if self._bulk else SnmpV1ClientSocket
        with translated(patience.endpoint), _raised_as_python_does():
            address, community = _numeric(patience.endpoint), credential.community.reveal()
            # No type of service, the system's buffers, and a time-out of 0: it never blocks.
            self._socket: _Socket | None = kind(address, community, 0, 0, 0, 0)

    def get(self, oids: Sequence[Oid]) -> dict[Oid, SnmpValue]:
        """Return those that came with a value. Raises TransportError."""
        udp = self._opened()
        texts = [format_oid(oid) for oid in oids]

        def send() -> None:
            with _raised_as_python_does():
                udp.send_get_many(texts)

        def take() -> dict[str, ValueType] | None:
            with _answered():
                return udp.recv_get_many()
            return None

        found = self._patience.exchange(send, take, udp.get_fd())
        asked = frozenset(oids)
        return {oid: value for oid, value in _rows(list(found.items())) if oid in asked}

    def pages(self, root: Oid, deadline: float) -> Iterator[tuple[Row, ...]]:
        """Yield rows below `root`, a response at a time and as they come, until it ends, for whatever reason."""
        at = GetIter(format_oid(root), self._bulk_rows)
        while True:
            page = self._page(at, deadline)
            rows = _rows(page)
            if rows:
                yield rows
            if len(rows) < len(page) or not page:
                return

    def _page(self, at: GetIter, deadline: float) -> _Page:
        """Ask for what follows. A None in it stands for a row that is not below the root."""
        udp = self._opened()

        def send() -> None:
            with _raised_as_python_does():
                match udp:
                    case SnmpV2cClientSocket():
                        udp.send_get_bulk(at)
                    case _:
                        udp.send_get_next(at)

        def take() -> _Page | None:
            try:
                with _answered():
                    match udp:
                        case SnmpV2cClientSocket():
                            return udp.recv_get_bulk(at)
                        case _:
                            return [udp.recv_get_next(at)]
            except StopAsyncIteration:  # the end, or an error, or an empty response
                return []
            return None

        return self._patience.exchange(send, take, udp.get_fd(), deadline)

    def _opened(self) -> _Socket:
        if self._socket is None:
            raise TransportError(f"the session with {self._patience.endpoint} is closed")
        return self._socket

    def close(self) -> None:
        self._socket = None  # it closes when nobody holds it


@contextmanager
def _answered() -> Iterator[None]:
    """Leave early where what came belongs to something else; raise Garbled for what gufo-snmp cannot read."""
    with _raised_as_python_does():
        try:
            yield
        except BlockingIOError:
            return
        except TimeoutError as error:  # this is how it calls the closed port that it heard of
            raise ConnectionRefusedError(str(error)) from error
        except (SnmpError, RuntimeError, ValueError) as error:
            raise Garbled(str(error)) from error
        except BaseException as error:
            # Its reader of BER panics where a length runs over the end. The class has no name that could be imported,
            # and is, so that nobody stops it by chance, no Exception. The socket is as good as before.
            if type(error).__name__ != "PanicException":
                raise
            raise Garbled("an SNMP element that runs over its end") from error


@contextmanager
def _raised_as_python_does() -> Iterator[None]:
    """Give an OSError its errno back, and so its class."""
    try:
        yield
    except OSError as error:
        if error.errno is None and (found := _OS_ERROR.search(str(error))):
            raise OSError(int(found[1]), str(error)) from error
        raise


def _numeric(endpoint: Endpoint) -> str:
    """Write address and port as Rust reads them; it resolves no names."""
    *_, address = socket.getaddrinfo(endpoint.address, endpoint.port, type=socket.SOCK_DGRAM)[0]
    host = str(address[0]).partition("%")[0]
    if ":" not in host:
        return f"{host}:{endpoint.port}"
    scope = f"%{address[3]}" if len(address) == 4 and address[3] else ""
    return f"[{host}{scope}]:{endpoint.port}"


def _rows(page: _Page) -> tuple[Row, ...]:
    """Return those that have a value of a type we know."""
    rows: list[Row] = []
    for row in page:
        if row is None:
            continue
        match row[1]:
            case int() | bytes() as value:
                rows.append((_oid(row[0]), value))
            case str() as text:
                rows.append((_oid(row[0]), _address_or_oid(_oid(text))))
    return tuple(rows)


def _oid(text: str) -> Oid:
    return tuple(map(int, text.split(".")))


def _address_or_oid(parts: Oid) -> SnmpValue:
    # gufo-snmp writes IpAddress and OBJECT IDENTIFIER alike. What an object points at is never as short as four
    # arcs (1.3.6.1 is the internet itself), but for the 0.0 that stands for nothing (SNMPv2-SMI zeroDotZero).
    return bytes(parts) if len(parts) == 4 and max(parts) <= 255 else parts
