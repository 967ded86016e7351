"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile


def write_file(path, data: bytes) -> None:
    """Write beside and rename, through a link, with the mode of what was there; a device or a pipe is written to, never replaced. Raises OSError."""
    path = os.path.realpath(os.fspath(path))
    mode = os.stat(path).st_mode if os.path.exists(path) else None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as f:
            f.write(data)
        return
    fd, part = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".costlab-")
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(part, 0o666 & ~umask if mode is None else stat.S_IMODE(mode))
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
