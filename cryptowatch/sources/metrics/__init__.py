"""Figures of the whole market. Each module here is one source of them and has a `SOURCE`; a new one needs no more."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple


class Figure(NamedTuple):
    """A metric's value from `time` (UTC) on."""

    name: str
    time: datetime
    value: float


@dataclass(frozen=True)
class MetricSource:
    """Where figures come from.

    Args:
        name: what `status` calls it.
        metrics: by name, what each is.
        every: how often it is asked: not much more often than its figures change.
        read: asks it, or the simulated exchange at this address; raises `SourceUnavailableError` when it does not
            answer, and whatever other exception when the answer is not of its form.
    """

    name: str
    metrics: Mapping[str, str]
    every: timedelta
    read: Callable[[str | None], Sequence[Figure]]


@cache
def metric_sources() -> tuple[MetricSource, ...]:
    """Every source of metrics, by the modules of this package."""
    modules = [importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module.SOURCE for module in modules), key=lambda source: source.name))


def metric_source(name: str) -> MetricSource | None:
    """The source that gives the metric called `name`."""
    return next((source for source in metric_sources() if name in source.metrics), None)
