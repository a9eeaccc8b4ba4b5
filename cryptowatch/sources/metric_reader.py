"""Reading a source of metrics: its figures, or an error. Nothing false gets by."""

import math
from collections.abc import Sequence
from datetime import datetime

from cryptowatch.sources.errors import SourceUnavailableError
from cryptowatch.sources.metrics import Figure, MetricSource


def read_metrics(source: MetricSource, now: datetime, base_url: str | None = None) -> list[Figure]:
    """The figures the source tells now.

    Args:
        now: market time; a figure from after it is left out.
        base_url: the simulated exchange, in place of the real source.

    Raises:
        SourceUnavailableError: it does not answer, refuses, or its answer is not of its form.
    """
    try:
        figures = source.read(base_url.rstrip("/") if base_url else None)
        _check(source, figures)
    except SourceUnavailableError:
        raise
    except Exception as error:  # an answer may be anything, and so may what comes of reading it
        said = " ".join(f"{type(error).__name__} {error}".split())[:120]
        raise SourceUnavailableError(f"{source.name}: the answer cannot be read: {said}") from error
    return [figure for figure in figures if figure.time <= now]


def _check(source: MetricSource, figures: Sequence[Figure]) -> None:
    if not figures:
        raise ValueError("no figure in it")
    for name, time, value in figures:
        if name not in source.metrics or not math.isfinite(value):
            raise ValueError(f"{name} of {time.isoformat()} is {value}")
