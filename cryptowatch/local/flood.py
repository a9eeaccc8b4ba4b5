"""Queues bulk tasks, to see the fleet grow: `python -m cryptowatch.local.flood NUMBER`, with a worker's environment.

They seal blocks of candles: real work that soon finds nothing left to do.
"""

import sys

from cryptowatch.pipeline.upkeep import SEAL
from cryptowatch.queues import StudiesQueue
from cryptowatch.settings import Settings


def main() -> None:
    queue = StudiesQueue(Settings())
    for _ in range(int(sys.argv[1])):
        queue.send(SEAL)


if __name__ == "__main__":
    main()
