"""A file that one process writes at a time.

The lock is the kernel's and belongs to the open file: it ends with the process, however that ends,
so that no lock is ever left behind. Over NFS it holds between machines where the server has locks.
"""

from __future__ import annotations

import errno
import sys
from typing import IO

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # of the errors of a lock: another has it

if sys.platform == "win32":
    import msvcrt

    _BEYOND = (
        2**40
    )  # a byte behind the end of every journal: the bytes that are locked are unreadable

    def _lock(file: IO[bytes]) -> None:
        file.seek(_BEYOND)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def locked(file: IO[bytes]) -> bool:
    """Lock an open file until it is closed; False where another process, or another part of this
    one, has it. A file system that has no locks gives every one that is asked for."""
    try:
        _lock(file)
    except OSError as e:
        return e.errno not in _HELD
    return True
