"""Independent API work side by side: the budget paces it, latency does not."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# By Little's law enough for the partner plan's 20 calls a second at half a second each.
CONCURRENCY = 10


class Stopped(Exception):
    """Raised inside work whose siblings must stop too; never reaches the caller."""


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield `items`, with the next one being made while the last is worked on."""
    nothing = object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = pool.submit(next, items, nothing)
        while (item := coming.result()) is not nothing:
            coming = pool.submit(next, items, nothing)
            yield item  # type: ignore[misc]


def in_parallel(
    work: Callable[[Item, threading.Event], Result],
    items: Iterable[Item],
    concurrency: int = CONCURRENCY,
) -> Iterator[Result]:
    """Yield `work(item, stop)` for each item as they come; the first error stops all.

    Work that takes long looks at `stop` now and then and raises `Stopped` where it is set.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(max(1, concurrency), thread_name_prefix="constant-contact") as pool:
        futures = [pool.submit(work, item, stop) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            raise
