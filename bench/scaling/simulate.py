"""One run: a load, a policy and a fleet, to the waits of its alerts and what the fleet cost in hours."""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.scaling.autoscaler import DELAY_S, AutoScaler
from bench.scaling.fleet import Done, Fleet, Size, TaskTime
from bench.scaling.load import Load, Message
from bench.scaling.policy import Policy

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Flood:
    """Bulk tasks that come at once."""

    at: float
    tasks: int
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What a run gave.

    Args:
        p50, p95: seconds from a close to the end of its evaluation, over markets.
        wait_p95: of these, those between the message's arrival and the end of its task.
        evaluated: markets whose evaluation ended, and `closed` those whose candles closed.
        workers: instances paid on average; `most_workers` in service at once.
        database: cores of it that were busy on average.
        flood_s: until the last bulk task was done; None without one.
        trace: each minute's end, messages waiting, and instances in service.
    """

    p50: float
    p95: float
    wait_p95: float
    evaluated: int
    closed: int
    workers: float
    most_workers: int
    database: float
    flood_s: float | None
    trace: tuple[tuple[float, int, int], ...]

    @property
    def keeps_up(self) -> bool:
        """Whether all that closed was evaluated."""
        return self.evaluated == self.closed


def simulate(
    load: Load,
    policy: Policy,
    size: Size,
    task: TaskTime,
    seconds: float,
    warm_up_s: float,
    seed: int = 1,
    spot_life_s: float | None = None,
    flood: Flood | None = None,
    delay_s: float = DELAY_S,
) -> Outcome:
    """Let closes come for `seconds`, then wait until all is done, for half as long at most; of the figures, the first
    `warm_up_s` do not count.
    """
    chance = random.Random(seed)
    fleet = Fleet(size, task, chance, policy.least(0.0), spot_life_s)
    closes = np.arange(0.0, seconds, load.interval_s)
    messages = sorted((one for close in closes for one in load.messages(float(close), chance)), key=lambda one: one.at)
    fleet.env.process(fleet.feed(messages))
    scaler = AutoScaler(fleet, policy, chance, delay_s)
    fleet.env.process(scaler.run())
    fleet.env.process(scaler.keep_least())
    if flood:
        fleet.env.process(fleet.flood(flood.at, flood.tasks, flood.seconds))
    trace: list[tuple[float, int, int]] = []
    end = seconds
    while fleet.env.now < seconds or (fleet.env.now < 1.5 * seconds and not _all_done(fleet, messages, flood)):
        end = fleet.env.now + 60.0
        fleet.env.run(until=end)
        trace.append((end, fleet.live.visible + fleet.bulk.visible, fleet.in_service()))
    return _outcome(fleet, messages, warm_up_s, end, trace, flood)


def _all_done(fleet: Fleet, messages: list[Message], flood: Flood | None) -> bool:
    return len(fleet.live.done) == len(messages) and len(fleet.bulk.done) == (flood.tasks if flood else 0)


def _outcome(
    fleet: Fleet,
    messages: list[Message],
    warm_up_s: float,
    end: float,
    trace: list[tuple[float, int, int]],
    flood: Flood | None,
) -> Outcome:
    counted = [one for one in fleet.live.done if one.message.close >= warm_up_s]
    totals = np.array([one.ended - one.message.close for one in counted])
    waits = np.array([one.ended - one.message.at for one in counted])
    weights = np.array([one.message.markets for one in counted])
    return Outcome(
        p50=weighted_percentile(totals, weights, 50),
        p95=weighted_percentile(totals, weights, 95),
        wait_p95=weighted_percentile(waits, weights, 95),
        evaluated=sum(one.message.markets for one in fleet.live.done),
        closed=sum(one.markets for one in messages),
        workers=fleet.instance_hours(warm_up_s, end) / ((end - warm_up_s) / 3600),
        most_workers=max(count for _, _, count in trace),
        database=fleet.database_s / end,
        flood_s=_flood_s(fleet.bulk.done, flood),
        trace=tuple(trace),
    )


def _flood_s(done: list[Done], flood: Flood | None) -> float | None:
    if flood is None:
        return None
    return max(one.ended for one in done) - flood.at if len(done) == flood.tasks else float("inf")


def weighted_percentile(values: Floats, weights: Floats, percent: float) -> float:
    """The smallest value that at least so many per cent of the weight do not exceed; NaN of nothing."""
    if not len(values):
        return float("nan")
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, percent / 100 * reached[-1])])
