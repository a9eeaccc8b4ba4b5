"""Stops a local instance's workers: `python -m cryptowatch.local.signals FOLDER NAME... VERB`.

What `systemctl` does on an instance in the cloud, for the daemon there; see `workers.drain.Workers` for the verbs.
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from cryptowatch.local.processes import running_child

_SIGNALS = {"stop": signal.SIGTERM, "return": signal.SIGQUIT}


def main(arguments: Sequence[str]) -> int:
    folder, *names, verb = arguments
    processes = [found for name in names if (found := running_child(Path(folder), name))]
    alive = [one for one in processes if one.status() != psutil.STATUS_ZOMBIE]
    for process in alive:
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if verb == "kill":
                os.killpg(process.pid, signal.SIGKILL)
            elif verb in _SIGNALS:
                process.send_signal(_SIGNALS[verb])
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
