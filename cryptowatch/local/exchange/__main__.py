"""Serve the simulated exchange until SIGTERM; prints one line, `serving http://127.0.0.1:PORT`, when it is ready."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from cryptowatch.clock import RecordClock
from cryptowatch.local.exchange.record import Record
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.local.exchange.simulated import SimulatedRecord


def main() -> int:
    """Returns the exit code: 1, with one line that says why, when it cannot serve."""
    parser = argparse.ArgumentParser(prog="python -m cryptowatch.local.exchange", description=__doc__)
    parser.add_argument("--record", required=True, help="`simulated`, or a folder of recorded candles")
    parser.add_argument("--clock", required=True, type=Path, help="the file of the record's clock")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    arguments = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it decides when it stops
    clock = RecordClock(arguments.clock)
    try:
        clock.now()
    except (OSError, ValueError, TypeError) as error:
        print(f"the clock cannot be read from {arguments.clock}: {error}", file=sys.stderr)
        return 1
    try:
        exchange = SimulatedExchange(_open(arguments.record), clock, arguments.port)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"port {arguments.port} cannot be used: {error}", file=sys.stderr)
        return 1
    with exchange:
        print(f"serving {exchange.url}", flush=True)
        stop.wait()
    return 0


def _open(name: str) -> Record:
    """The record called `simulated`, or the one in a folder.

    Raises:
        BadRecordError: the folder is not one of recorded candles.
    """
    if name == "simulated":
        return SimulatedRecord()
    from cryptowatch.local.exchange.replay import ReplayRecord  # needs pandas, which is slow to load

    return ReplayRecord(Path(name))


if __name__ == "__main__":
    sys.exit(main())
