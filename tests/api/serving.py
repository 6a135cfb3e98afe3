"""A server in a process of its own: says its URL on standard output once it accepts, ends with SIGTERM."""

from __future__ import annotations

import sys

from api.server import serve
from api.settings import load
from api.wiring import Services


def main(port: int) -> None:
    """Serve what the CMDB_* variables name."""
    services = Services(load())
    try:
        serve(services, "127.0.0.1", port, _say)
    finally:
        services.close()


def _say(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
