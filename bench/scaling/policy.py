"""Scaling policies: what load each reads from the figures of a minute, and the least fleet it keeps at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Figures(NamedTuple):
    """What CloudWatch knows of a minute: messages visible and in flight, live and bulk, and instances in service."""

    lv: float
    li: float
    bv: float
    bi: float
    n: float


@dataclass(frozen=True)
class Parameters:
    """The template's parameters of scaling, with the same names."""

    live_slots: int = 2
    live_mean_seconds: float = 0.1
    live_goal_seconds: float = 10.0
    bulk_slots: int = 1
    bulk_mean_seconds: float = 20.0
    bulk_goal_seconds: float = 600.0


@dataclass(frozen=True)
class Policy:
    """A way to scale.

    Args:
        name: as the tables say it.
        load: the metric; 1 is its target. None: the fleet stays as it is.
        least: instances at least, by the time in seconds.
        most: instances at most.
        one_by_one: steps of one instead of as many as the load asks for.
    """

    name: str
    load: Callable[[Figures], float] | None
    least: Callable[[float], int]
    most: int
    one_by_one: bool = False


def seconds_of_work(figures: Figures, given: Parameters) -> float:
    """Ours: seconds of work that wait or are in hand, by queue, for each instance in service, against the goals."""
    live = (figures.lv + figures.li) * given.live_mean_seconds / (given.live_goal_seconds * given.live_slots)
    bulk = (figures.bv + figures.bi) * given.bulk_mean_seconds / (given.bulk_goal_seconds * given.bulk_slots)
    return (live + bulk) / (figures.n if figures.n > 0 else 1)


def backlog_per_instance(figures: Figures, given: Parameters) -> float:
    """The documented way: visible messages for each instance over what one may have waiting, of the worse queue."""
    instances = max(figures.n, 1)
    live = figures.lv / instances / (given.live_goal_seconds * given.live_slots / given.live_mean_seconds)
    bulk = figures.bv / instances / (given.bulk_goal_seconds * given.bulk_slots / given.bulk_mean_seconds)
    return max(live, bulk)


def queue_length(figures: Figures, most_waiting: float = 100.0) -> float:
    """Messages that wait, against a fixed number of them, however many instances there are."""
    return (figures.lv + figures.bv) / most_waiting


def workers_needed(work_s: float, within_s: float, live_slots: int, busy: float = 0.8) -> int:
    """Instances that do so many seconds of live work within so many seconds, at most so busy meanwhile."""
    return max(1, math.ceil(work_s / (within_s * live_slots * busy) - 1e-9))
