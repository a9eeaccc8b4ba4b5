"""How long a preview takes: 100 markets, 90 days of 5m candles, 10 watches, beside a loop with pandas and `ta`.

`python -m bench.preview`, on one core. The candles are made up and written as files first; timed is everything that
`cryptowatch preview` does once Python and its compiled code are loaded: reading, evaluating, working out deliveries.
The loop does less: it computes the same figures of the same rules and looks for where they become true; it is timed on
a few markets and scaled up.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import ta

from bench.common_indicators import made_up
from cryptowatch.cli.preview import preview
from cryptowatch.rules import warm_up

MARKETS, DAYS, FEW = 100, 90, 3
CANDLES = DAYS * 288
START = datetime(2026, 1, 1, tzinfo=UTC)


def _rsi(frame: pd.DataFrame) -> "pd.Series[float]":
    return ta.momentum.RSIIndicator(frame.close).rsi()


def _lower_band(frame: pd.DataFrame) -> "pd.Series[float]":
    return ta.volatility.BollingerBands(frame.close).bollinger_lband()


def _ema(frame: pd.DataFrame, length: int) -> "pd.Series[float]":
    return ta.trend.EMAIndicator(frame.close, length).ema_indicator()


def _adx(frame: pd.DataFrame) -> "pd.Series[float]":
    return ta.trend.ADXIndicator(frame.high, frame.low, frame.close).adx()


def _atr(frame: pd.DataFrame) -> "pd.Series[float]":
    return ta.volatility.AverageTrueRange(frame.high, frame.low, frame.close).average_true_range()


def _mfi(frame: pd.DataFrame) -> "pd.Series[float]":
    return ta.volume.MFIIndicator(frame.high, frame.low, frame.close, frame.volume).money_flow_index()


def _cci(frame: pd.DataFrame) -> "pd.Series[float]":
    return ta.trend.CCIIndicator(frame.high, frame.low, frame.close).cci()


def _hourly_rising(frame: pd.DataFrame) -> "pd.Series[bool]":
    hours = frame.close.resample("1h").last()
    rises = ta.trend.EMAIndicator(hours, 50).ema_indicator().diff() > 0
    return (rises.rolling(3).sum() == 3).shift(1).reindex(frame.index, method="ffill").fillna(False).astype(bool)


#: Rules, and the same with pandas and `ta`.
RULES: dict[str, Callable[[pd.DataFrame], "pd.Series[bool]"]] = {
    "rsi(14) < 20 and close < bollinger(20, 2).lower": lambda f: (_rsi(f) < 20) & (f.close < _lower_band(f)),
    "crosses_above(ema(50), ema(200)) and adx(14) > 30": lambda f: (
        (_ema(f, 50) > _ema(f, 200)) & (_ema(f, 50) <= _ema(f, 200)).shift(1, fill_value=False) & (_adx(f) > 30)
    ),
    "close > highest(ago(high, 1), 2000)": lambda f: f.close > f.high.shift(1).rolling(2000).max(),
    'rsi(14) < 20 and ema(50, interval="1h").rising(3)': lambda f: (_rsi(f) < 20) & _hourly_rising(f),
    "pct_change(close, 12) > 5": lambda f: f.close / f.close.shift(12) - 1 > 0.05,
    "volume > 2.5 * sma(volume, 96)": lambda f: f.volume > 2.5 * f.volume.rolling(96).mean(),
    "cci(20) < -250": lambda f: _cci(f) < -250,
    "mfi(14) > 92 and rsi(14) > 75": lambda f: (_mfi(f) > 92) & (_rsi(f) > 75),
    "atr(14) > 1.6 * sma(atr(14), 288)": lambda f: _atr(f) > 1.6 * _atr(f).rolling(288).mean(),
    "macd(12, 26, 9).histogram > 0 and close > sma(200) and adx(14) > 50": lambda f: (
        (ta.trend.MACD(f.close).macd_diff() > 0) & (f.close > f.close.rolling(200).mean()) & (_adx(f) > 50)
    ),
}


def write(folder: Path) -> list[pd.DataFrame]:
    """A file a market; gives the tables."""
    candles = made_up(MARKETS, CANDLES)
    times = pd.date_range(START, periods=CANDLES, freq="5min", name="open_time")
    frames = []
    for market in range(MARKETS):
        columns = {name: getattr(candles, name)[market] for name in ("open", "high", "low", "close", "volume")}
        frame = pd.DataFrame(columns, index=times).round(6)
        path = folder / f"M{market:02}_USD-5m.csv.gz"
        frame.to_csv(path, date_format="%Y-%m-%dT%H:%M:%SZ", compression={"method": "gzip", "compresslevel": 1})
        frames.append(frame)
    return frames


def by_pandas(frame: pd.DataFrame) -> int:
    """How often the rules become true on a market."""
    found = 0
    for rule in RULES.values():
        true = rule(frame)
        found += int((true & ~true.shift(1, fill_value=False)).sum())
    return found


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    more = {"markets": ["recorded:*/USD"], "interval": "5m", "cooldown": "4h", "max_per_day": 5, "notify": ["me"]}
    watches = [{"name": f"watch {number}", "when": rule, **more} for number, rule in enumerate(RULES, 1)]
    text = json.dumps({"recipients": {"me": "me@example.com"}, "watches": watches})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = write(folder)
        warm_up()
        preview(text, "bench", folder, since="1d")  # loads the compiled code
        wall, processor = time.perf_counter(), time.process_time()
        result = preview(text, "bench", folder)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    started = time.process_time()
    found = sum(by_pandas(frame) for frame in frames[:FEW])
    loop = (time.process_time() - started) / FEW * MARKETS
    total = result["total"]
    print(f"{MARKETS} markets x {DAYS} days of 5m candles x {len(RULES)} watches: {total['moments']:,} moments")
    print(f"{total['alerts']:,} alerts, {total['emails']:,} emails, {sum(total['held_back'].values()):,} held back")
    print(f"preview: {processor:.1f} s of processor time on one core ({wall:.1f} s on the clock)")
    print(f"pandas and ta: {loop:.0f} s, scaled up from {FEW} markets ({found:,} signals on them)")


if __name__ == "__main__":
    main()
