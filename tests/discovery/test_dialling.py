"""Knocking at many TCP ports at once, on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from discovery.dialling import KnockLimits, knock
from discovery.ports import Knocked
from discovery.transport.base import Endpoint


@contextmanager
def server(address: str, says: bytes) -> Iterator[Endpoint]:
    """A listener that greets one caller."""
    with socket.create_server((address, 0)) as listening:
        port = listening.getsockname()[1]

        def greet() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.sendall(says)
                caller.recv(1)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield Endpoint(address, port)
        thread.join(timeout=10)


def test_open_ports_tell_their_version_line_and_closed_ones_that_they_are_closed() -> None:
    with ExitStack() as stack:
        ssh = stack.enter_context(server("127.0.5.1", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nmore"))
        mute = stack.enter_context(server("127.0.5.2", b"no end of line"))
        closed = Endpoint("127.0.5.3", ssh.port)

        found = knock([ssh, mute, closed], KnockLimits(banner_s=0.3))

    assert {
        Knocked(ssh, open=True, banner="SSH-2.0-OpenSSH_9.2p1 Debian-2"),
        Knocked(mute, open=True, banner="no end of line"),
        Knocked(closed, open=False),
    } == set(found)


def test_more_doors_than_may_be_tried_at_once_are_tried_one_after_the_other() -> None:
    with socket.create_server(("127.0.5.4", 0)) as reserved:
        port = reserved.getsockname()[1]
    doors = [Endpoint(f"127.0.6.{last}", port) for last in range(1, 101)]

    assert {Knocked(door, open=False) for door in doors} == set(knock(doors, KnockLimits(at_once=7)))


def test_who_never_takes_the_connection_is_silent() -> None:
    """A listener whose queue is full answers no further caller."""
    with socket.socket() as full:
        full.bind(("127.0.5.5", 0))
        full.listen(0)
        endpoint = Endpoint(*full.getsockname())
        with ExitStack() as stack:
            for _ in range(4):
                caller = stack.enter_context(socket.socket())
                caller.setblocking(False)
                caller.connect_ex((endpoint.address, endpoint.port))

            assert [] == knock([endpoint], KnockLimits(connect_s=0.3, banner_s=0.3))
