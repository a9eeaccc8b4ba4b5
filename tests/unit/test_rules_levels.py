"""Levels that depend on where a load begins: which comparisons are warned of, and that the tables say what is so."""

import numpy as np
import pytest

from cryptowatch.indicators import CATALOGUE
from cryptowatch.markets.interval import INTERVALS
from cryptowatch.rules import compile_rule
from cryptowatch.rules.levels import RELATIVE, STARTS

HOUR = INTERVALS["1h"]
STEPS = 400


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("obv > 1000", "obv"),
        ("1000 < ema(obv, 20)", "obv"),
        ("adl * 2 > close", "adl"),
        ("crosses_above(ago(nvi, 3), 1000)", "nvi"),
        ('obv(interval="4h") > 5', "obv"),
        ("obv > 0", "obv"),
        # a share of a level
        ("roc(obv, 10) > 5", "obv"),
        ("roc(obv, 10) > 0", "obv"),
        ("change_pct(obv, 10) > 5", "obv"),
        ("bollinger(obv).width > 1", "obv"),
        ("ppo(obv) > 1", "obv"),
        ("trix(obv) > 1", "obv"),
        ("sma(roc(obv, 10), 5) > 1", "obv"),
        ("rsi(roc(obv, 10), 5) > 70", "obv"),
        ("obv / sma(obv, 20) > 1.01", "obv"),
        # a difference of what differs by a factor
        ("change(nvi, 10) > 5", "nvi"),
        ("nvi - sma(nvi, 20) > 5", "nvi"),
        ("macd(nvi) > 5", "nvi"),
        ("linreg(nvi).slope > 5", "nvi"),
        ("1 / nvi > 0.5", "nvi"),
        ("nvi * nvi > nvi", "nvi"),
        ("cumulative_return - ago(cumulative_return, 10) > 5", "cumulative_return"),
        ("cumulative_return > 5", "cumulative_return"),
        ("cumulative_return / ago(cumulative_return, 10) > 2", "cumulative_return"),
        # two levels
        ("obv > vpt", "obv"),
        ("adl - obv > 5", "adl"),
        ('obv > obv(interval="4h")', "obv"),
        ("crosses_above(obv, adl)", "obv"),
        ("when(close > open, obv, vpt) > sma(obv, 3)", "obv"),
        ("when(close > open, obv, 5) > sma(obv, 3)", "obv"),
        # what is made of one
        ("2 * obv - sma(obv, 20) > 0", "obv"),
        ("obv > sma(obv, 20) * 1.01", "obv"),
        ("obv > -sma(obv, 20)", "obv"),
        ("obv / 1e12 > 5", "obv"),
        ("log(obv) - log(ago(obv, 1)) > 0.1", "obv"),
        ("log(nvi) > 7", "nvi"),
        ("max(obv, 5) > sma(obv, 3)", "obv"),
        ("abs(obv) > abs(ago(obv, 1))", "obv"),
        ("obv * volume > ago(obv * volume, 1)", "obv"),
        ("(obv * volume).rising(3)", "obv"),
        ("bollinger(obv * volume).above", "obv"),
        ("any(obv > 5, 3)", "obv"),
        ("bars_since(obv > 5) < 3", "obv"),
    ],
)
def test_what_depends_on_where_the_load_begins_is_warned_of(text, name) -> None:
    (warning,) = compile_rule(text, HOUR).warnings
    assert warning.message.startswith(f"{name} counts from the first candle that is loaded")
    assert f"{name} > sma({name}, 20)" in warning.hint


@pytest.mark.parametrize(
    "text",
    [
        "obv > sma(obv, 20)",
        "obv.rising(3)",
        "change(obv, 5) > 0",
        "change(adl, 5) > 1000",
        "obv - ago(obv, 9) > 0",
        "rsi(obv, 14) < 30",
        "zscore(obv, 50) > 2",
        "macd(obv).histogram > 100",
        "bollinger(obv).percent > 1",
        "bollinger(obv).above",
        "obv > bollinger(obv).upper",
        "obv > linreg(obv, 20)",
        "stdev(obv, 20) > 5",
        "2 * obv - sma(obv, 20) - ema(obv, 5) > 0",
        "2 * obv > obv + sma(obv, 5)",
        "0.1 * obv + 0.2 * obv - 0.3 * sma(obv, 5) > 1",
        "-obv < -sma(obv, 20)",
        "obv > sma(obv, 20) + 1000",
        "obv / obv > 0.5",
        "0 * obv < 1",
        "max(obv, ago(obv, 1)) > sma(obv, 3)",
        "when(close > open, obv, ago(obv, 1)) > sma(obv, 3)",
        "(obv - sma(obv, 20)) / stdev(obv, 20) > 2",
        "crosses_above(obv, ema(obv, 20))",
        'obv(interval="4h") > sma(obv(interval="4h"), 20)',
        'obv(interval="4h") > sma(obv, 20, interval="4h")',
        "nvi > ema(nvi, 255)",
        "nvi > 1.01 * ema(nvi, 255)",
        "nvi / sma(nvi, 20) > 1.01",
        "sma(nvi, 20) / nvi - 1 < 0.1",
        "roc(nvi, 10) > 1",
        "ppo(nvi) > 1",
        "change(nvi, 10) > 0",
        "nvi - sma(nvi, 20) < 0",
        "crosses_above(macd(nvi), 0)",
        "log(nvi) - log(ago(nvi, 1)) > 0.1",
        "log(nvi / ago(nvi, 1)) > 0.1",
        "sqrt(nvi) / sqrt(ago(nvi, 1)) > 1.1",
        "abs(change(nvi, 3)) / nvi > 0.1",
        "max(change(nvi, 1), 0) / nvi > 0.1",
        "nvi * nvi / nvi > sma(nvi, 3)",
        "cumulative_return > sma(cumulative_return, 20)",
        "change(cumulative_return, 10) > 0",
        "rsi(cumulative_return, 14) < 30",
        "roc(close, 10) > 5",
    ],
)
def test_how_it_moves_is_fine(text) -> None:
    assert compile_rule(text, HOUR).warnings == ()


def prices(seed: int = 4) -> np.ndarray:
    return 100 * np.exp(np.random.default_rng(seed).normal(0, 0.02, (1, STEPS)).cumsum(axis=1))


OF_A_SOURCE = [
    (name, output) for name, entry in CATALOGUE.items() if entry.inputs[0] == "source" for output in entry.outputs
]


@pytest.mark.parametrize(("name", "output"), OF_A_SOURCE)
def test_what_an_output_leaves_of_its_sources_level_is_what_its_unit_and_the_table_say(name, output) -> None:
    entry = CATALOGUE[name]
    others = [np.full((1, STEPS), 5.0)] * (len(entry.inputs) - 1)
    parameters = {one.name: one.default for one in entry.parameters} | {"length": 10, "rank": 50}
    parameters = {key: int(value) if float(value).is_integer() else value for key, value in parameters.items()}

    def of(source: np.ndarray) -> np.ndarray:
        return entry.compute(source, *others, parameters=parameters)[output]

    plain, shifted, scaled = of(prices()), of(prices() + 777.0), of(prices() * 3.0)
    assert np.isfinite(plain[0, -1])
    unit = entry.outputs[output]
    same = {"rtol": 1e-6, "atol": 1e-6}
    np.testing.assert_allclose(scaled, plain * (3.0 if unit in ("price", "change") else 1.0), **same)
    if (name, output) in RELATIVE:
        assert unit in ("percent", "ratio")
        assert not np.allclose(shifted, plain, equal_nan=True, **same)
    else:
        np.testing.assert_allclose(shifted, plain + (777.0 if unit == "price" else 0.0), **same)


@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if entry.cumulative])
def test_a_later_start_changes_a_cumulative_level_as_the_table_says(name) -> None:
    entry = CATALOGUE[name]
    close, volume = prices(), prices(5)
    given = {"high": close * 1.02, "low": close * 0.99, "close": close, "volume": volume}
    series = [given[one] for one in entry.inputs]
    early = entry.compute(*series, parameters={})["value"][0, 100:]
    late = entry.compute(*(one[:, 100:] for one in series), parameters={})["value"][0]
    shift, scale = STARTS.get(name, (1.0, 0.0))
    factor = (early[-1] - early[7]) / (late[-1] - late[7])
    constant = early[7] - factor * late[7]
    np.testing.assert_allclose(early, factor * late + constant, rtol=1e-9)
    assert bool(scale) == (abs(factor - 1) > 1e-6)
    assert bool(shift) == (abs(constant) > 1e-6)


def test_the_tables_name_what_there_is() -> None:
    assert set(OF_A_SOURCE) >= RELATIVE
    assert all(CATALOGUE[name].cumulative for name in STARTS)
