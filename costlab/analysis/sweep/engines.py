"""What runs the configurations beside each other: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from typing import Any

DIED = "the process died, most likely because it ran out of memory"


class Pool(Executor, ABC):
    """An executor whose work can be ended at once."""

    @abstractmethod
    def abandon(self) -> None:
        """Shut down, and end what runs."""


Engine = Callable[[], Pool]


def local(jobs: int) -> Engine:
    """`jobs` processes of this machine."""
    return lambda: _Processes(jobs)


class _Processes(ProcessPoolExecutor, Pool):
    """Processes that end with this one, and when they are abandoned: each waits for the end of a
    pipe that this process alone writes to."""

    def __init__(self, jobs: int):
        context = get_context("spawn")
        self._watched, self._kept_open = context.Pipe(duplex=False)
        super().__init__(
            jobs, mp_context=context, initializer=_end_with_parent, initargs=(self._watched,)
        )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        with _interrupts_kept_from_children():
            return super().submit(fn, *args, **kwargs)

    def abandon(self) -> None:
        self._kept_open.close()
        self.shutdown(cancel_futures=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=wait, cancel_futures=cancel_futures)
        self._kept_open.close()
        self._watched.close()


def _end_with_parent(pipe: Any) -> None:
    """A worker whose parent is killed would wait for work for ever. `pipe`: a `Connection`, which
    ends with the parent too."""
    parent = parent_process()
    ends = [pipe, parent.sentinel] if parent is not None else [pipe]
    threading.Thread(target=lambda: (wait(ends), os._exit(1)), daemon=True).start()


@contextlib.contextmanager
def _interrupts_kept_from_children() -> Generator[None]:
    """Processes that are started meanwhile never see Ctrl-C, which a terminal sends to all: their
    parent ends them, and says so in one line."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # which would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def dask(address: str | None = None) -> Engine:
    """A Dask cluster: the scheduler at `address`, or a cluster of this machine.

    Raises ImportError without dask.distributed."""
    from distributed import Client

    def start() -> Pool:
        client = Client(address) if address else Client(processes=True, dashboard_address=None)
        return _Cluster(client)

    return start


class _Cluster(Pool):
    """A Dask client's executor that closes the client with it."""

    def __init__(self, client: Any):
        self._client, self._executor = client, client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._executor.submit(fn, *args, **kwargs)

    def abandon(self) -> None:
        self._executor.shutdown(wait=False)
        self._client.close()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait)
        self._client.close()
