"""What a stack costs a month at list prices, item by item."""

from functools import cache
from typing import Any

import yaml

from bench.scaling.fleet import TaskTime
from bench.scaling.load import FIRST_ANSWER_S, Load
from bench.scaling.policy import Parameters
from bench.scaling.scenarios import DATABASES, FOLDER, LARGEST_DATABASE, SOURCES, sized, work_of

HOURS = 730
#: GiB of memory of a function, and seconds that dispatch and sweep take each minute.
INGEST_GIB, SMALL_GIB, SMALL_S = 0.5, 0.25, 2.0
#: Bytes that a request for candles and its answer take, and that a message's log lines and a candle in the store take.
REQUEST_BYTES, LOG_BYTES, CANDLE_BYTES = 2_000, 1_500, 161
#: Days for which candles are kept in the table's storage; nothing is older, and no less than the template's least.
KEPT_DAYS, LEAST_GIB = 90, 50
#: Alarms (metrics they read), metrics of our own, secrets, keys.
ALARM_METRICS, METRICS, SECRETS, KEYS = 45, 15, 2, 1
#: Worker processes that ask a queue every five seconds while it is empty.
IDLE_ASKS_A_MONTH = HOURS * 3600 / 5
GIB = 1024**3


@cache
def prices() -> dict[str, Any]:
    """prices.yaml."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "prices.yaml").read_text())
    return found


def workers_month(workers: float) -> float:
    """So many workers on average: instances on demand and their disks."""
    listed = prices()
    hour: float = listed["instance_hour"]["c7i.large"]
    disk: float = 8 * listed["volume_gib_month"]
    return workers * (hour * HOURS + disk)


def month(load: Load | None, task: TaskTime, given: Parameters, alerts_a_day: int = 100) -> dict[str, float]:
    """Dollars a month by item; without a load, what an idle stack costs."""
    listed = prices()
    hours = HOURS
    closes = hours * 3600 / load.interval_s if load else 0.0
    markets = load.markets if load else 100
    database, _ = DATABASES.get(markets, LARGEST_DATABASE)
    work = work_of(load, task) if load else None
    workers = sized(load, task, given) if load else 1
    messages = closes * (min(markets, work.over_s * SOURCES[markets]) if work else 0)
    requests = closes * markets if load else 0.0
    reading_s = closes * SOURCES[markets] * (work.over_s + FIRST_ANSWER_S) if work else 0.0
    stored_gib = (KEPT_DAYS * 86400 / load.interval_s) * markets * CANDLE_BYTES / GIB if load else 0.0
    asks = workers * (given.live_slots + given.bulk_slots) * IDLE_ASKS_A_MONTH
    small_s = 2 * hours * 60 * SMALL_S
    return {
        "workers": workers_month(workers),
        "database": listed["database_hour"][database] * hours
        + listed["database_gib_month"] * max(LEAST_GIB, stored_gib),
        "NAT gateway": (listed["nat_gateway_hour"] + listed["public_address_hour"]) * hours
        + listed["nat_gateway_gib"] * requests * REQUEST_BYTES / GIB,
        "functions": listed["lambda_gib_second"] * (small_s * SMALL_GIB + reading_s * INGEST_GIB)
        + listed["lambda_million_requests"] * (2 * hours * 60 + closes * SOURCES[markets]) / 1e6,
        "queues": listed["queue_million_requests"] * (asks + 3 * messages) / 1e6,
        "alarms, metrics, logs": listed["alarm_metric_month"] * ALARM_METRICS
        + listed["metric_month"] * METRICS
        + listed["dashboard_month"]
        + listed["log_gib"] * messages * LOG_BYTES / GIB,
        "secrets and keys": listed["secret_month"] * SECRETS + listed["key_month"] * KEYS,
        "emails": listed["email_100_thousand"] * (alerts_a_day * 30 if load else 0) / 1e5,
    }
