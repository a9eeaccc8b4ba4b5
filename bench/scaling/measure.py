"""How long a task of the live queue takes here, by its number of markets, and how much of it the database works.

`python -m bench.scaling.measure` prints what bench/scaling/measured.yaml holds.
"""

import math
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import psutil
import yaml

from bench.scaling.prepared import INTERVAL_S, RULES, Prepared
from cryptowatch.clock import FixedClock
from cryptowatch.local.postgres import Postgres
from cryptowatch.pipeline.analyse import analyse
from cryptowatch.rules import compile_rule
from cryptowatch.settings import Settings
from cryptowatch.store.database import connect
from cryptowatch.store.evaluation import StoredWatch
from cryptowatch.watches.compiled import WatchRule, rule_of

SIZES = (1, 10, 25, 50, 100)
ROUNDS = 25
NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)

_compiled = lru_cache(maxsize=100)(compile_rule)


def _rule_of(watch: StoredWatch) -> WatchRule:
    return rule_of(watch.watch, _compiled)


def main() -> None:
    """Measure, and print the figures as YAML."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        Path(folder).chmod(0o755)
        postgres = Postgres(Path(folder))
        try:
            print(yaml.safe_dump(measure(postgres.dsn), sort_keys=False), end="")
        finally:
            postgres.stop()


def measure(dsn: str) -> dict[str, object]:
    """Fit seconds = fixed + each market's, on medians of rounds whose sizes take turns; sizes share no market."""
    settings = Settings({"DATABASE_URL": dsn})
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    own_s, all_s = 0.0, 0.0
    with closing(connect(settings)) as connection:
        prepared = Prepared(connection, sum(SIZES), ROUNDS + 2, NOW)
        for number in range(1, ROUNDS + 2):
            rest = prepared.market_ids
            clock = FixedClock(NOW + timedelta(minutes=number))
            for size in SIZES:
                ids, rest = rest[:size], rest[size:]
                prepared.close(ids, number)
                own, started = psutil.Process().cpu_times(), time.perf_counter()
                with closing(connect(settings)) as writer, closing(connect(settings)) as reader:
                    moments = analyse(writer, reader, clock, _rule_of, INTERVAL_S, ids, lambda _: None)
                spent = time.perf_counter() - started
                assert moments == size * len(RULES), f"{moments} moments of {size} markets"
                if number > 1:  # the first round compiles and fills caches
                    times[size].append(spent)
                    now = psutil.Process().cpu_times()
                    own_s += now.user + now.system - own.user - own.system
                    all_s += spent
    medians = [statistics.median(times[size]) for size in SIZES]
    market, fixed = np.polyfit(SIZES, medians, 1)
    return {
        "watches_a_market": len(RULES),
        "fixed_seconds": round(float(fixed), 4),
        "seconds_a_market": round(float(market), 6),
        "of_100_markets_seconds": round(medians[-1], 4),
        "database_share": round(1 - own_s / all_s, 2),
        "spread": round(statistics.pstdev(math.log(one) for one in times[SIZES[-1]]), 2),
    }


if __name__ == "__main__":
    main()
