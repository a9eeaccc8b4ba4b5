"""`python -m cryptowatch.local.clean`: forget all local stacks' data, and end what a killed one has left running."""

import shutil
import sys
from pathlib import Path

from cryptowatch.local.lock import AlreadyRunningError, Lock
from cryptowatch.local.postgres import Postgres
from cryptowatch.local.processes import clean_up_leftovers
from cryptowatch.local.state import DATA_FOLDER


def clean(root: Path = DATA_FOLDER) -> None:
    """Remove the data folder of all local stacks.

    Raises:
        AlreadyRunningError: one of them runs.
    """
    if not root.is_dir():
        return
    lock = Lock(root)
    try:
        for folder in (one for one in root.iterdir() if one.is_dir()):
            clean_up_leftovers(folder)
            if (folder / "postgres" / "postmaster.pid").exists():
                Postgres(folder).stop()
        shutil.rmtree(root)
    finally:
        lock.release()


if __name__ == "__main__":
    try:
        clean()
    except AlreadyRunningError as error:
        sys.exit(str(error))
