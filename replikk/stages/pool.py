"""Work on many takes in several processes, or in this one where that is as quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from replikk.errors import StoreError
from replikk.locks import end_with_parent
from replikk.store import Store

Item = TypeVar("Item")
Result = TypeVar("Result")


def carried_out(
    work: Callable[[Item, Store], Result], items: Sequence[Item], store: Store, workers: int
) -> Iterator[Result]:
    """The results of ``work``, a function of a module, on each item, in order.

    Raises StoreError when a worker was ended from outside.
    """
    if workers == 1 or len(items) < 2 * workers:
        for item in items:
            yield work(item, store)
        return
    # Imported here: most builds encode a clip or two.
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    build_dir = store.root.parent
    with ProcessPoolExecutor(workers, initializer=end_with_parent) as pool:
        chunk = max(1, min(32, len(items) // (4 * workers)))
        try:
            yield from pool.map(partial(_in_worker, work, build_dir), items, chunksize=chunk)
        except BrokenProcessPool as error:
            raise StoreError(
                f"{build_dir}: a process that works on clips was ended, probably for want of memory; "
                "run again with fewer --cores: finished clips are kept"
            ) from error


def _in_worker(work: Callable[[Item, Store], Result], build_dir: Path, item: Item) -> Result:
    return work(item, _store_of_worker(build_dir))


@lru_cache(maxsize=1)
def _store_of_worker(build_dir: Path) -> Store:
    """One store per worker: reading its journals once per clip takes longer than encoding in a big game."""
    return Store(build_dir)
