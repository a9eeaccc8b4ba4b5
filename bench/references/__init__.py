"""What others compute for the same candles: the rows that the tests check and that `docs/accuracy.md` lists.

Each module here has the rows of the catalogue's group of the same name, in `ROWS`.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from cryptowatch.indicators import CATALOGUE, find
from cryptowatch.markets.interval import interval_named
from cryptowatch.markets.panel import Floats, Rows, build_panel

__all__ = ["RECORDED", "RECORDS", "Candles", "Comparison", "Floats", "Reference"]
__all__ += ["compare", "compute", "load", "reference_rows", "scale_of"]

#: The recorded candles, kept beside the checkout and not part of it.
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "candles"
#: Their files, without the ending.
RECORDS = (
    "ADA_BTC-5m",
    "ETH_BTC-5m",
    "TRX_BTC-5m",
    "XLM_BTC-5m",
    "UNITTEST_BTC-1m",
    "UNITTEST_BTC-30m",
)


@dataclass(frozen=True)
class Candles:
    """One market's candles on a grid without holes: float64 arrays of one length.

    Args:
        time: when each candle opened, in seconds since 1970, UTC.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    time: Floats

    def __len__(self) -> int:
        return len(self.close)

    @property
    def condition(self) -> Floats:
        """What stands for a condition where an indicator is of one: 1 where the close is above the open, else 0."""
        return (self.close > self.open).astype(np.float64)

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a table with the columns open, high, low, close and volume."""
        return pd.DataFrame({name: getattr(self, name) for name in ("open", "high", "low", "close", "volume")})


@dataclass(frozen=True)
class Reference:
    """One output of an indicator, computed by somebody else.

    Args:
        by: who computes it: "TA-Lib", "ta", "pandas-ta-classic", or "definition": written down here from the published
            formula, without a thought for speed.
        compute: gives the values for candles, NaN where there is none.
        tolerance: the error that is allowed, as a share of the scale of the output's unit (see `scale_of`).
        parameters: in the entry's order; without them, the defaults.
        note: where and why the two differ.
        after: candles at the start that are not compared, for other ways to begin; None: none.
    """

    indicator: str
    output: str
    by: str
    compute: Callable[[Candles], Floats]
    tolerance: float = 1e-9
    parameters: tuple[float, ...] = ()
    note: str = ""
    after: int | None = None


class Comparison(NamedTuple):
    """How far apart two computations are.

    Args:
        error: the worst difference, as a share of the scale of the output's unit; 0 when nothing was compared.
        candles: how many were compared: those where both have a value.
        ours: candles where we have a value, those skipped at the start left out.
        theirs: candles where they have one, likewise.
        at: the candle of the worst difference.
    """

    error: float
    candles: int
    ours: int
    theirs: int
    at: int


def reference_rows() -> list[Reference]:
    """Every row of every group, in the catalogue's order."""
    rows: list[Reference] = []
    for group in dict.fromkeys(entry.group for entry in CATALOGUE.values()):
        if importlib.util.find_spec(f"{__name__}.{group}"):
            rows += importlib.import_module(f"{__name__}.{group}").ROWS
    order = {name: place for place, name in enumerate(CATALOGUE)}
    return sorted(rows, key=lambda row: (order[row.indicator], list(find(row.indicator).outputs).index(row.output)))


def compute(row: Reference, candles: Candles) -> Floats:
    """Our values for the row's output."""
    entry = find(row.indicator)
    series = [getattr(candles, name)[np.newaxis] for name in entry.series]
    parameters = entry.bind(row.parameters, {})
    return entry.compute(*series, parameters=parameters, outputs=[row.output])[row.output][0]


def compare(row: Reference, candles: Candles) -> Comparison:
    """Our values beside those of the row."""
    ours = compute(row, candles)
    theirs = np.asarray(row.compute(candles), dtype=np.float64)
    if theirs.shape != ours.shape:
        raise ValueError(f"{row.indicator}.{row.output} by {row.by}: {theirs.shape} values for {ours.shape} candles")
    start = row.after or 0
    have, others = np.isfinite(ours[start:]), np.isfinite(theirs[start:])
    both = np.flatnonzero(have & others) + start
    if not len(both):
        return Comparison(0.0, 0, int(have.sum()), int(others.sum()), -1)
    errors = np.abs(ours[both] - theirs[both]) / scale_of(row, candles, theirs)
    worst = int(np.argmax(errors))
    return Comparison(float(errors[worst]), len(both), int(have.sum()), int(others.sum()), int(both[worst]))


def scale_of(row: Reference, candles: Candles, theirs: Floats) -> float:
    """What an error of this output is measured by, in the output's unit.

    That is the mean close for prices and their changes, 100 for percent, 1 for ratios, candles and flags, and the
    largest of their values for volume and turnover. A value near zero has no relative error of its own.
    """
    unit = find(row.indicator).outputs[row.output]
    if unit in ("volume", "turnover"):
        known = np.abs(theirs[np.isfinite(theirs)])
        return float(known.max()) if known.size and known.max() > 0 else 1.0
    if unit in ("price", "change"):
        return float(np.mean(candles.close))
    return 100.0 if unit == "percent" else 1.0


@cache
def load(record: str, folder: Path = RECORDED) -> Candles:
    """A recorded market on its regular grid; what the exchange did not have is filled as the product fills it."""
    table = pd.read_csv(folder / f"{record}.csv.gz", parse_dates=["open_time"])
    interval = interval_named(record.rsplit("-", 1)[1])
    seconds = pd.DatetimeIndex(table["open_time"]).as_unit("s").asi8
    steps = seconds // interval.seconds
    values = table[["open", "high", "low", "close", "volume"]].to_numpy(np.float64)
    first, last = int(steps[0]), int(steps[-1])
    panel = build_panel(interval, first, last, {1: Rows(steps, values, None)}, {}, {1: last + 1})
    time = np.arange(first, last + 1, dtype=np.float64) * interval.seconds
    return Candles(panel.open[0], panel.high[0], panel.low[0], panel.close[0], panel.volume[0], time)
