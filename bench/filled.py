"""Stores that hold a large estate: filled through `apply` as any other, and kept for the next run.

    python -m bench.filled --cis 100000 --cache /tmp/estates

A million CIs take minutes: a folder named by --cache keeps a filled SQLite file for each size and seed, as
long as the store's schema and the generator stay the same.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import shutil
import sys
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from bench import estates_large, large_making, large_rows
from bench.estates_large import LargeEstate
from bench.large_making import Thing
from cmdb import coding
from cmdb.impact.rows import Rows
from cmdb.lookup import handles
from cmdb.model import CI, Change
from cmdb.store.base import SCHEMA_VERSION, Batch, GraphStore
from cmdb.store.opening import open_store

_BATCH = 5_000
_START = datetime(2026, 3, 1, tzinfo=UTC)


class Filled(NamedTuple):
    """A store with an estate in it; `marked` as `LargeEstate.marked` says."""

    url: str
    cis: int
    relations: int
    marked: dict[str, list[str]]


class TooSlow(Exception):
    """Filling took longer than it was given."""


def fill(url: str, cis: int, seed: int = 1, limit_s: float = 3600.0) -> Filled:
    """Fill an empty store; says on stderr how far it is. Raises TooSlow, with a part of the estate in the store."""
    estate = LargeEstate(cis, seed)
    store = open_store(url)
    began = said = perf_counter()
    try:
        if store.position().revision:
            raise SystemExit(f"the store is not empty: filling needs one of its own for {cis} CIs")
        for part in _parts(estate.things()):
            _apply(store, part)
            now = perf_counter()
            if now - began > limit_s:
                raise TooSlow(f"{estate.cis} of {cis} CIs were stored within {limit_s:.0f} s")
            if now - said > 10:
                print(f"filling: {estate.cis} CIs after {now - began:.0f} s", file=sys.stderr, flush=True)
                said = now
        with store.write() as tx:
            # Whoever writes after us takes the next numbers.
            tx.reserve("ci", estate.cis)
            tx.reserve("relation", estate.relations)
    finally:
        store.close()
    return Filled(url, estate.cis, estate.relations, estate.marked)


def _parts(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    rest = iter(things)
    while part := list(islice(rest, _BATCH)):
        yield part


def _apply(store: GraphStore, part: list[Thing]) -> None:
    found = {one.id: handles(one) for one in part if isinstance(one, CI)}
    with store.write() as tx:
        tx.apply(Batch(tuple(Change(one.id, None, one) for one in part), found, "bench", "a large estate", _START))


def cached(folder: Path, cis: int, seed: int = 1, limit_s: float = 3600.0) -> Filled:
    """A copy-free SQLite store with the estate, from the cache or made for it: whoever changes it, copies it first."""
    sources = (inspect.getsource(part).encode() for part in (estates_large, large_making, large_rows))
    made_by = hashlib.sha256(b"".join(sources) + bytes([SCHEMA_VERSION])).hexdigest()[:12]
    path = folder / f"large-{cis}-{seed}-{made_by}.db"
    about = path.with_suffix(".json")
    if not about.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{path.name}*"):
            left.unlink()
        filled = fill(f"sqlite:///{path}", cis, seed, limit_s)
        about.write_text(json.dumps([filled.cis, filled.relations, filled.marked]))
    count, relations, marked = json.loads(about.read_text())
    return Filled(f"sqlite:///{path}", count, relations, marked)


def copied(filled: Filled, target: Path) -> Filled:
    """A copy of a SQLite store that may be changed; nobody has it open."""
    source = Path(filled.url.removeprefix("sqlite:///"))
    for suffix in ("", "-wal"):
        if (part := source.with_name(source.name + suffix)).exists():
            shutil.copyfile(part, target.with_name(target.name + suffix))
    return filled._replace(url=f"sqlite:///{target}")


def rows(cis: int, seed: int = 1) -> tuple[Rows, LargeEstate]:
    """The estate as the engine takes it, without any store, as of revision 1."""
    estate = LargeEstate(cis, seed)
    codes, gaps, lengths = array("H"), array("i"), array("i")
    sources, targets, relation_codes = array("i"), array("i"), array("H")
    worded, word_a, word_b = array("i"), array("i"), array("i")
    names: list[bytes] = []
    extras: dict[int, str] = {}
    numbers: dict[str, int] = {"": 0}
    for one in estate.things():
        if isinstance(one, CI):
            name = one.name.encode()
            names.append(name)
            lengths.append(len(name))
            codes.append(coding.ci_code(one))
            gaps.append(numbers.setdefault(coding.gaps_text(one), len(numbers)))
            if text := coding.extra_text(one):
                extras[len(codes)] = text
        else:
            sources.append(int(one.source[3:]))
            targets.append(int(one.target[3:]))
            words = coding.relation_words(one)
            if any(words):
                worded.append(len(relation_codes))
                word_a.append(numbers.setdefault(words[0], len(numbers)))
                word_b.append(numbers.setdefault(words[1], len(numbers)))
            relation_codes.append(coding.relation_code(one))
    words_known = sorted(numbers)
    places = np.empty(len(numbers), np.int32)
    places[[numbers[word] for word in words_known]] = np.arange(len(numbers), dtype=np.int32)
    made = Rows(
        1,
        np.arange(1, len(codes) + 1, dtype=np.int32),
        np.array(codes),
        places[np.array(gaps)],
        b"".join(names),
        np.array(lengths),
        np.arange(1, len(relation_codes) + 1, dtype=np.int32),
        np.array(sources),
        np.array(targets),
        np.array(relation_codes),
        np.array(worded),
        places[np.array(word_a)],
        places[np.array(word_b)],
        words_known,
        extras,
        [],
        [],
    )
    return made, estate


def main() -> None:
    """Fill a store, and say what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-s", type=float, default=3600.0)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--cache", type=Path, help="folder of filled SQLite stores")
    where.add_argument("--store", help="URL of an empty store")
    parser.add_argument("--note", type=Path, help="with --store: write JSON of it for other benches")
    given = parser.parse_args()
    began = perf_counter()
    if given.store:
        filled = fill(given.store, given.cis, given.seed, given.limit_s)
        if given.note:
            given.note.write_text(json.dumps(filled))
    else:
        filled = cached(given.cache.absolute(), given.cis, given.seed, given.limit_s)
    print(f"{filled.cis} CIs, {filled.relations} relations in {perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
