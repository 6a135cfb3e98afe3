"""The spelling of `CMDB_STORE`: which store a URL means."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from cmdb.store.base import GraphStore, StoreError

EXPECTED = "sqlite:///PATH (four slashes for an absolute path) or neo4j://USER:PASSWORD@HOST:PORT"
_NEO4J_PORT = 7687


def open_store(url: str) -> GraphStore:
    """Open the store that a URL names, made or migrated where needed.

    Raises StoreError for a malformed URL (without showing it: it may hold a password), StoreUnavailable, StoreTooNew.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise StoreError(f"the store's URL has no scheme; expected {EXPECTED}")
    if scheme == "sqlite":
        return _open_sqlite(rest)
    if scheme == "neo4j":
        return _open_neo4j(url)
    raise StoreError(f"the store's URL has the unknown scheme {scheme!r}; expected {EXPECTED}")


def _open_sqlite(rest: str) -> GraphStore:
    from cmdb.store.sqlite import SqliteStore  # noqa: PLC0415 - the command line starts faster without the other store

    path = unquote(rest[1:])
    if not rest.startswith("/") or path in {"", ":memory:"} or "?" in rest:
        raise StoreError(f"an embedded store needs a file and nothing else; expected {EXPECTED}")
    return SqliteStore(Path(path))


def _open_neo4j(url: str) -> GraphStore:
    from cmdb.store.neo4j import Neo4jStore  # noqa: PLC0415 - the driver takes a third of a second to import

    try:
        parts = urlsplit(url)
        port = parts.port or _NEO4J_PORT
    except ValueError:
        raise StoreError(f"the host or port of the store's URL cannot be read; expected {EXPECTED}") from None
    if not parts.hostname or not parts.username or parts.password is None:
        raise StoreError(f"the store's URL needs a user, a password and a host; expected {EXPECTED}")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise StoreError(f"the store's URL says more than a server; expected {EXPECTED}")
    return Neo4jStore(parts.hostname, port, unquote(parts.username), unquote(parts.password))
