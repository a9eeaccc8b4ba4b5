"""Worked examples that StockCharts' ChartSchool has published, to the digits it prints.

Some tables begin an average with its first value, ours begin with the mean of the first `length`. A table is then
continued backwards by candles that repeat its first value: that is the same start, and all of the table is compared.
"""

import numpy as np
import pandas as pd
import pytest

from bench.references.__main__ import PUBLISHED
from cryptowatch.indicators import find
from cryptowatch.markets.panel import Floats

#: Candles that a table is continued backwards by.
BEFORE = 60


def table_of(recorded, name: str) -> pd.DataFrame:
    """A table, its columns by lower-case name without decoration."""
    table = pd.read_csv(recorded / "indicators" / f"{name}.csv")
    return table.rename(columns=lambda column: column.strip().lower())


def ours(table: pd.DataFrame, name: str, *numbers: float, before: pd.DataFrame | None = None) -> dict[str, Floats]:
    """Our outputs for the table's candles, `before` being put before them."""
    entry = find(name)
    known = table if before is None else pd.concat([before, table], ignore_index=True)
    series = [known[column].to_numpy(np.float64)[np.newaxis] for column in entry.series]
    outputs = entry.compute(*series, parameters=entry.bind(numbers, {}))
    return {output: values[0, len(known) - len(table) :] for output, values in outputs.items()}


def first_repeated(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table.iloc[[0]]] * BEFORE, ignore_index=True)


def agrees(values: Floats, column: pd.Series, digits: float, first: int = 0) -> None:
    """From the candle `first` on, both have a value at the same candles, and it differs by no more than `digits`."""
    np.testing.assert_allclose(values[first:], column.to_numpy()[first:], rtol=0, atol=digits)


@pytest.mark.parametrize(("name", "length"), [("cs-atr", 14), ("cs-atr2", 10)])
def test_atr(recorded, name, length) -> None:
    table = table_of(recorded, name)
    agrees(ours(table, "atr", length)["value"], table["atr"].where(table["atr"] > 0), 6e-10)


def test_bollinger(recorded) -> None:
    table = table_of(recorded, "cs-bbands")
    bands = ours(table, "bollinger", 20, 2)
    for output, column in (("middle", "middleband"), ("upper", "highband"), ("lower", "lowband")):
        agrees(bands[output], table[column], 2e-6)
    agrees(bands["width"] * 100, table["widthband"], 1e-5)
    agrees(bands["percent"], table["percentageband"], 1e-5)


def test_sma(recorded) -> None:
    table = table_of(recorded, "cs-bbands")
    agrees(ours(table, "sma", 20)["value"], table["middleband"], 2e-6)


def test_cci(recorded) -> None:
    table = table_of(recorded, "cs-cci")
    agrees(ours(table, "cci", 20)["value"], table["cci"], 6e-5)


def test_macd(recorded) -> None:
    table = table_of(recorded, "cs-macd")
    values = ours(table, "macd", 12, 26, 9, before=first_repeated(table))
    agrees(values["macd"], table["macd_line"], 6e-9, first=1)
    # The table begins its signal with a value of unknown origin, -0.129: (1 - 2/10) ** 85 of that is left at the end.
    agrees(values["signal"], table["macd_signal"], 2e-9, first=87)
    agrees(values["histogram"], table["macd_diff"], 6e-9, first=87)


#: As printed in ChartSchool's article "Relative Strength Index". The recorded table's own column is begun with 0
#: instead of the mean of the first changes.
PRINTED_RSI = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87]
PRINTED_RSI += [45.46, 37.30, 33.08, 37.77]


def test_rsi(recorded) -> None:
    table = table_of(recorded, "cs-rsi")
    agrees(ours(table, "rsi", 14)["value"], pd.Series([np.nan] * 14 + PRINTED_RSI), 0.0051)
    # With nothing but a repeated close before it is the recorded column too.
    agrees(ours(table, "rsi", 14, before=first_repeated(table))["value"], table["rsi"], 6e-7, first=14)


def with_any_close(table: pd.DataFrame) -> pd.DataFrame:
    """Where the table leaves out a close that the example does not need: one inside the candle."""
    return table.assign(close=table["close"].fillna((table["high"] + table["low"]) / 2))


def test_stoch(recorded) -> None:
    table = table_of(recorded, "cs-soo")
    values = ours(with_any_close(table), "stoch", 14, 1, 3)
    agrees(values["k"], table["so"], 6e-7)
    agrees(values["d"], table["so_sig"], 6e-6, first=16)  # the table leaves out its first mean of three


def test_williams_r(recorded) -> None:
    table = table_of(recorded, "cs-percentr")
    agrees(ours(with_any_close(table), "williams_r", 14)["value"], table["williams_%r"], 6e-7)


def is_worked_example_of_ppo(recorded, name: str) -> None:
    table = table_of(recorded, f"cs-{name}")
    values = ours(table, name, 12, 26, 9, before=first_repeated(table))
    agrees(values[name], table[name], 6e-9)
    agrees(values["signal"], table[f"{name}_signal_line"], 6e-9)
    agrees(values["histogram"], table[f"{name}_histogram"], 6e-9)


def test_ppo(recorded) -> None:
    is_worked_example_of_ppo(recorded, "ppo")


def test_pvo(recorded) -> None:
    is_worked_example_of_ppo(recorded, "pvo")


def test_roc(recorded) -> None:
    table = table_of(recorded, "cs-roc")
    agrees(ours(table, "roc", 12)["value"], table["roc"], 6e-9)


def test_obv(recorded) -> None:
    table = table_of(recorded, "cs-obv")
    volume_of_first = table.fillna({"volume": 0.0})
    values = ours(volume_of_first, "obv")["value"]
    agrees(values - values[0], table["obv"], 1e-9, first=1)


def test_adl(recorded) -> None:
    table = table_of(recorded, "cs-accum")
    # The printed sums are of more digits than the printed volumes and prices.
    agrees(ours(table, "adl")["value"], table["adline"], 6e-5)


def test_wma(recorded) -> None:
    table = table_of(recorded, "cs-wma")
    values = ours(table, "wma", 9)["value"]
    assert np.isnan(values[:8]).all(), "the table knows candles before its first"
    agrees(values, table["wma"], 6e-5, first=8)


def test_donchian(recorded) -> None:
    table = table_of(recorded, "cs-dc")
    values = ours(table, "donchian", 20)
    agrees(values["upper"], table["upper_band"], 1e-12)
    agrees(values["lower"], table["lower_band"], 1e-12)
    # Printed to two digits, of which the last is cut off or rounded.
    agrees(values["middle"], table["middle_band"], 0.0101)


def test_stc(recorded) -> None:
    table = table_of(recorded, "cs-stc")
    values = ours(table, "stc", before=first_repeated(table))["value"]
    # Its two averages begin with 0, ours with their first value: 0.5 ** 30 of that is left.
    agrees(values, table["stc"], 1e-6, first=40)


def test_ulcer_index(recorded) -> None:
    table = table_of(recorded, "cs-ui")
    values = ours(table, "ulcer_index", 14, before=first_repeated(table))["value"]
    assert abs(values[-1] - table["ulcer_index"].iloc[-1]) < 6e-10


def test_ultimate_oscillator(recorded) -> None:
    table = table_of(recorded, "cs-ultosc")
    agrees(ours(table, "ultimate_oscillator", 7, 14, 28)["value"], table["ult_osc"], 6e-7)


def test_vpt(recorded) -> None:
    table = table_of(recorded, "cs-vpt")
    values = ours(table, "vpt")["value"]
    agrees(values - values[0], table["unsmoothed vpt"], 1e-9, first=1)


def test_rolling_vwap(recorded) -> None:
    table = table_of(recorded, "cs-vwap")
    values = ours(table, "rolling_vwap", 14)["value"]
    agrees(values, table["vwap"], 1e-9, first=13)  # the table begins with shorter windows


def test_force_index(recorded) -> None:
    table = table_of(recorded, "cs-fi")
    # Its first change again and again.
    first, change = table["close"][1], table["close"][1] - table["close"][0]
    closes = first - change * np.arange(BEFORE, 0, -1.0)
    before = pd.DataFrame({"close": closes, "volume": table["volume"][1]})
    agrees(ours(table[1:], "force_index", 13, before=before)["value"], table["fi"][1:], 6e-6)


def test_ease_of_movement(recorded) -> None:
    table = table_of(recorded, "cs-easeofmovement")
    values = ours(table, "ease_of_movement", 14, 100_000_000)
    agrees(values["value"], table["emv"], 6e-10)
    agrees(values["average"], table["sma_emv"], 6e-10)


def test_the_docs_name_the_indicators_that_are_tested_here() -> None:
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_") and "docs" not in name}
    assert set(PUBLISHED) == tested
