"""Values that others have published or compute, indicator by indicator."""

import numpy as np
import pandas as pd
import pytest
import ta

from cryptowatch.indicators import CATALOGUE, find
from cryptowatch.markets.panel import Floats

RECORDS = ["ADA_BTC-5m", "ETH_BTC-5m", "UNITTEST_BTC-1m"]


def compute(name: str, closes: Floats, *numbers: float) -> dict[str, Floats]:
    entry = find(name)
    outputs = entry.compute(np.atleast_2d(closes), parameters=entry.bind(numbers, {}))
    return {output: values[0] for output, values in outputs.items()}


def published(recorded, name: str) -> pd.DataFrame:
    return pd.read_csv(recorded / "indicators" / f"{name}.csv")


#: As printed in StockCharts' ChartSchool, article "Relative Strength Index". The recorded table's own column is begun
#: with 0 instead of the mean of the first changes.
PRINTED_RSI = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87]
PRINTED_RSI += [45.46, 37.30, 33.08, 37.77]


def test_rsi_equals_the_worked_example(recorded) -> None:
    values = compute("rsi", published(recorded, "cs-rsi")["Close"].to_numpy())["value"]
    assert np.isnan(values[:14]).all()
    np.testing.assert_allclose(values[14:], PRINTED_RSI, atol=0.0051)


def test_bollinger_equals_the_worked_example(recorded) -> None:
    table = published(recorded, "cs-bbands")
    bands = compute("bollinger", table["Close"].to_numpy())
    for output, column in (("middle", "MiddleBand"), ("upper", "HighBand"), ("lower", "LowBand")):
        np.testing.assert_allclose(bands[output], table[column], atol=2e-6)
    np.testing.assert_allclose(bands["width"] * 100, table["WidthBand"], atol=1e-5)
    np.testing.assert_allclose(bands["percent"], table["PercentageBand"], atol=1e-5)


def test_macd_comes_to_the_worked_example_that_begins_with_the_first_close(recorded) -> None:
    table = published(recorded, "cs-macd")
    values = compute("macd", table["Close"].to_numpy())
    # What is left of the other start after 124 candles: (1 - 2/27) ** 99 of a difference of about 0.3.
    assert abs(values["macd"][-1] - table["MACD_line"].iloc[-1]) < 2e-4
    assert abs(values["signal"][-1] - table["MACD_signal"].iloc[-1]) < 2e-4


def test_sma_equals_the_middle_of_the_worked_bollinger_bands(recorded) -> None:
    table = published(recorded, "cs-bbands")
    np.testing.assert_allclose(compute("sma", table["Close"].to_numpy(), 20)["value"], table["MiddleBand"], atol=2e-6)


def test_ema_of_a_worked_example_by_hand() -> None:
    # Begun with the mean of 1, 2, 6; then half of the way to each value.
    np.testing.assert_allclose(compute("ema", np.array([1.0, 2, 6, 7, 1]), 3)["value"], [np.nan, np.nan, 3, 5, 3])


def by_ta(closes: pd.Series) -> dict[tuple[str, str], pd.Series]:
    bands = ta.volatility.BollingerBands(closes, 20, 2)
    macd = ta.trend.MACD(closes, 26, 12, 9)
    return {
        ("rsi", "value"): ta.momentum.RSIIndicator(closes, 14).rsi(),
        ("sma", "value"): ta.trend.SMAIndicator(closes, 20).sma_indicator(),
        ("ema", "value"): ta.trend.EMAIndicator(closes, 20).ema_indicator(),
        ("bollinger", "middle"): bands.bollinger_mavg(),
        ("bollinger", "upper"): bands.bollinger_hband(),
        ("bollinger", "lower"): bands.bollinger_lband(),
        ("bollinger", "width"): bands.bollinger_wband() / 100,
        ("bollinger", "percent"): bands.bollinger_pband(),
        ("macd", "macd"): macd.macd(),
        ("macd", "signal"): macd.macd_signal(),
        ("macd", "histogram"): macd.macd_diff(),
    }


#: What an indicator's values are measured by, where a level near zero has no relative error of its own.
SCALE = {"rsi": 100.0, "bollinger percent": 1.0, "bollinger width": 0.01}


@pytest.mark.parametrize("record", RECORDS)
def test_recorded_candles_give_what_ta_gives_once_the_start_is_forgotten(recorded, record) -> None:
    closes = pd.read_csv(recorded / "candles" / f"{record}.csv.gz")["close"]
    for (name, output), expected in by_ta(closes).items():
        entry = find(name)
        ours = compute(name, closes.to_numpy())[output]
        start = entry.look_back(entry.bind((), {})) + 200
        flat = closes.rolling(20).std() == 0  # where its rolling deviation keeps noise and ours is 0
        use = (np.arange(len(closes)) >= start) & ~flat.to_numpy() & ~np.isnan(ours)
        assert use.sum() > 0.9 * (len(closes) - start)
        scale = SCALE.get(name, SCALE.get(f"{name} {output}", closes.mean()))
        assert np.abs(ours - expected)[use].max() <= 2e-8 * scale, (name, output)


def test_every_indicator_of_the_catalogue_has_a_row_here(recorded) -> None:
    rows = by_ta(pd.Series(np.arange(60.0)))
    assert set(rows) == {(name, output) for name, entry in CATALOGUE.items() for output in entry.outputs}
