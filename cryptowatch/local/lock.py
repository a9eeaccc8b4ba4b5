"""One running local stack a data folder."""

import fcntl
import os
from pathlib import Path


class AlreadyRunningError(RuntimeError):
    """Another local stack uses this data folder."""


class Lock:
    """Held by this process until it ends, however it ends.

    Raises:
        AlreadyRunningError: another process holds it; the message says which.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise AlreadyRunningError(
                f"a local stack is running already (process {holder}); stop it with Ctrl-C first"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.truncate(0)
        self._file.close()
