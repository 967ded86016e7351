"""What runs the configurations beside each other: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from typing import Any

Engine = Callable[[], Executor]
DIED = "the process died, most likely for want of memory"


def local(jobs: int) -> Engine:
    """`jobs` processes of this machine."""
    return lambda: ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_end_with_parent
    )


def _end_with_parent() -> None:
    """A worker whose parent is killed would wait for work for ever."""
    parent = parent_process()
    if parent is None:
        return
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def dask(address: str | None = None) -> Engine:
    """A Dask cluster: the scheduler at `address`, or a cluster of this machine.

    Raises ImportError without dask.distributed."""
    from distributed import Client

    def start() -> Executor:
        client = Client(address) if address else Client(processes=True, dashboard_address=None)
        return _Closing(client)

    return start


class _Closing(Executor):
    """A Dask client's executor that closes the client with it."""

    def __init__(self, client: Any):
        self._client, self._executor = client, client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._executor.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait)
        self._client.close()
