"""Files of candles that people bring or take: CSV, CSV.gz and Parquet, in the format of recorded candles."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cryptowatch.local.exchange.record import Candles
from cryptowatch.local.exchange.recorded_file import BadRecordError, candles_of, market_of, read_candles
from cryptowatch.markets.interval import Interval
from cryptowatch.pipeline.transfer import Row

PARQUET = ".parquet"
COLUMNS = ["open_time", "open", "high", "low", "close", "volume"]


def named(path: Path) -> tuple[str, Interval]:
    """The symbol and the interval that a file is named for: `ETH_BTC-5m.parquet` holds `ETH/BTC` at `5m`.

    Raises:
        BadRecordError: it is not named like that.
    """
    return market_of(path.with_suffix(".csv") if path.suffix == PARQUET else path)


def file_name(symbol: str, interval: Interval, suffix: str) -> str:
    """What a file of candles is called; `suffix` with its dot."""
    return f"{symbol.replace('/', '_').replace(':', '_')}-{interval}{suffix}"


def read(path: Path, interval: Interval) -> Candles:
    """The candles of a file, all of them checked.

    Raises:
        BadRecordError: it cannot be read, or holds what is no candle; the message names the row.
    """
    if path.suffix != PARQUET:
        return read_candles(path, interval)
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are of these kinds
        raise BadRecordError(f"{path}: not a Parquet file: {' '.join(str(error).split())[:160]}") from error
    if "open_time" in table:
        table["open_time"] = table["open_time"].astype(str)
    return candles_of(table, path, interval)


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write candles; a CSV has each figure in the shortest text that is read back as the same number.

    Raises:
        OSError: it cannot be written.
    """
    values = np.array(rows, dtype=np.float64).reshape(-1, len(COLUMNS))
    times = pd.to_datetime(values[:, 0].astype(np.int64), unit="s", utc=True)
    table = pd.DataFrame({"open_time": times, **dict(zip(COLUMNS[1:], values.T[1:], strict=True))})
    if path.suffix == PARQUET:
        table.to_parquet(path, index=False)
    else:
        table["open_time"] = table["open_time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        table.to_csv(path, index=False)
