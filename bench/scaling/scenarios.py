"""What is compared: loads, fleets and policies, each as it stands in the tables."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import yaml

from bench.scaling.fleet import Receive, Size, TaskTime
from bench.scaling.load import Load
from bench.scaling.policy import (
    Parameters,
    Policy,
    backlog_per_instance,
    queue_length,
    seconds_of_work,
    workers_needed,
)
from cryptowatch.sources.describe import describe_all

FOLDER = Path(__file__).parent
#: Sources by number of markets: those that allow most, of the ones ccxt reads without a key.
SOURCES = {100: 3, 1_000: 5, 10_000: 20, 100_000: 69}
#: Instance class of the database by number of markets, and its cores.
DATABASES = {100: ("db.t4g.medium", 2), 1_000: ("db.t4g.medium", 2), 10_000: ("db.m7g.large", 2)}
LARGEST_DATABASE = ("db.m7g.xlarge", 4)
INTERVALS = {"1m": 60, "5m": 300, "1h": 3600}
#: Seconds simulated, and of them those left out at the start, by length of the interval.
SPANS = {60: (7_200.0, 1_800.0), 300: (7_200.0, 1_800.0), 3600: (10 * 3600.0, 3600.0)}
#: Instances at most, in every policy.
MOST = 20
#: A scheduled floor stands from so many seconds before an hour's close to so many after it.
FLOOR_BEFORE_S, FLOOR_AFTER_S = 480.0, 600.0


@cache
def rates() -> tuple[float, ...]:
    """Requests a second that each exchange allows for candles of spot markets, the most first, as ccxt gives it."""
    described, _ = describe_all()
    return tuple(sorted((one.spot.requests_per_second for one in described if one.spot), reverse=True))


@cache
def measured() -> TaskTime:
    """The task time of measured.yaml."""
    data = yaml.safe_load((FOLDER / "measured.yaml").read_text())
    return TaskTime(data["fixed_seconds"], data["seconds_a_market"], data["database_share"], data["spread"])


def load_of(markets: int, interval: str, at_once: bool) -> Load:
    """So many markets, on as many sources as `SOURCES` says."""
    return Load(markets, INTERVALS[interval], () if at_once else rates()[: SOURCES[markets]])


def size_of(markets: int, given: Parameters) -> Size:
    _, cores = DATABASES.get(markets, LARGEST_DATABASE)
    return Size(given.live_slots, given.bulk_slots, cores)


@dataclass(frozen=True)
class Work:
    """What a close costs: seconds of workers, and seconds over which its messages come."""

    seconds: float
    over_s: float


def work_of(load: Load, task: TaskTime) -> Work:
    """Arithmetic, no simulation: the tasks of a close with their receives."""
    if load.rates:
        # A source sends a message whenever its patience is over, or one a market where it is slower than that.
        rate = sum(min(1 / load.patience_s, one) for one in load.rates)
        messages = min(load.markets, load.reading_s() * rate)
    else:
        messages = math.ceil(load.markets / 100)
    return Work(messages * (task.fixed + Receive().busy_s) + load.markets * task.market, load.reading_s())


def sized(load: Load, task: TaskTime, given: Parameters) -> int:
    """Instances that do a close's work within the goal of its last message."""
    work = work_of(load, task)
    return min(MOST, workers_needed(work.seconds, work.over_s + given.live_goal_seconds, given.live_slots))


def policies(load: Load, task: TaskTime, given: Parameters) -> list[Policy]:
    """Those compared, in the order of the tables."""
    enough = sized(load, task, given)
    ours = partial(seconds_of_work, given=given)
    documented = partial(backlog_per_instance, given=given)
    found = [
        Policy("static, 1", None, _always(1), MOST),
        Policy("static, sized", None, _always(enough), MOST),
        Policy("queue length", queue_length, _always(1), MOST, one_by_one=True),
        Policy("backlog per instance", documented, _always(1), MOST),
        Policy("seconds of work", ours, _always(1), MOST),
        Policy("seconds of work, least sized", ours, _always(enough), MOST),
    ]
    if load.interval_s >= 3600:
        found.append(Policy("seconds of work, scheduled floor", ours, _around_closes(enough, load.interval_s), MOST))
    return found


def _always(count: int) -> Callable[[float], int]:
    return lambda now: count


def _around_closes(count: int, interval_s: int) -> Callable[[float], int]:
    def least(now: float) -> int:
        since = now % interval_s
        return count if since < FLOOR_AFTER_S or since >= interval_s - FLOOR_BEFORE_S else 1

    return least
