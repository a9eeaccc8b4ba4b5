"""`python -m cryptowatch.local.exchange --record simulated|FOLDER --clock FILE [--port N]`: serve until SIGTERM."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from cryptowatch.clock import RecordClock
from cryptowatch.local.exchange.record import Record
from cryptowatch.local.exchange.replay import BadRecordError, ReplayRecord
from cryptowatch.local.exchange.server import SimulatedExchange
from cryptowatch.local.exchange.simulated import SimulatedRecord


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", required=True)
    parser.add_argument("--clock", required=True, type=Path)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides when to stop
    try:
        record: Record = SimulatedRecord() if arguments.record == "simulated" else ReplayRecord(Path(arguments.record))
    except BadRecordError as error:
        print(error, file=sys.stderr)
        return 1
    with SimulatedExchange(record, RecordClock(arguments.clock), arguments.port) as exchange:
        print(f"serving {exchange.url}", flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
