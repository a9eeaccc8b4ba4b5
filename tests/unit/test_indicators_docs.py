"""The indicator reference says what is so."""

import re
from pathlib import Path

from cryptowatch.indicators import CATALOGUE, find
from cryptowatch.indicators.reference import facts, page, signature

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_reference_is_written_from_the_catalogue() -> None:
    assert (DOCS / "indicators.md").read_text() == page(), "run `make docs`"


def test_every_indicator_has_a_section_and_a_line_in_the_overview() -> None:
    text = page()
    for name in CATALOGUE:
        assert f"\n### {name}\n" in text
        assert f"| [`{name}`](#{name}) |" in text


def test_a_signature_shows_what_may_be_given() -> None:
    assert signature(find("sma")) == "sma(close, length=20)"
    assert signature(find("pvo")) == "pvo(volume, fast=12, slow=26, signal=9)"
    assert signature(find("atr")) == "atr(length=14)"
    assert signature(find("bars_since")) == "bars_since(condition, length=500)"


def test_what_is_counted_by_the_day_says_for_which_candles() -> None:
    told = dict(facts(find("pivot_points")))
    assert told["looks back"] == "2881 candles of 1m"


def test_every_indicator_of_the_ta_library_is_there() -> None:
    import ta

    modules = (ta.momentum, ta.trend, ta.volatility, ta.volume, ta.others)
    classes = {name for one in modules for name in vars(one) if re.fullmatch(r"[A-Z]\w+", name)}
    known = {name for name in classes if issubclass(vars_of(modules, name), ta.utils.IndicatorMixin)}
    known.discard("IndicatorMixin")
    assert len(known) == 43
    assert set(OF_TA) == known
    for name, output in OF_TA.values():
        assert output in find(name).outputs


def vars_of(modules: tuple, name: str) -> type:
    return next(getattr(one, name) for one in modules if hasattr(one, name))


#: The classes of `ta`, and what each is called here.
OF_TA = {
    "AwesomeOscillatorIndicator": ("awesome", "value"),
    "KAMAIndicator": ("kama", "value"),
    "PercentagePriceOscillator": ("ppo", "histogram"),
    "PercentageVolumeOscillator": ("pvo", "histogram"),
    "ROCIndicator": ("roc", "value"),
    "RSIIndicator": ("rsi", "value"),
    "StochRSIIndicator": ("stochrsi", "d"),
    "StochasticOscillator": ("stoch", "d"),
    "TSIIndicator": ("tsi", "value"),
    "UltimateOscillator": ("ultimate_oscillator", "value"),
    "WilliamsRIndicator": ("williams_r", "value"),
    "ADXIndicator": ("adx", "minus_di"),
    "AroonIndicator": ("aroon", "oscillator"),
    "CCIIndicator": ("cci", "value"),
    "DPOIndicator": ("dpo", "value"),
    "EMAIndicator": ("ema", "value"),
    "IchimokuIndicator": ("ichimoku", "span_b"),
    "KSTIndicator": ("kst", "histogram"),
    "MACD": ("macd", "histogram"),
    "MassIndex": ("mass_index", "value"),
    "PSARIndicator": ("psar", "down_signal"),
    "SMAIndicator": ("sma", "value"),
    "STCIndicator": ("stc", "value"),
    "TRIXIndicator": ("trix", "value"),
    "VortexIndicator": ("vortex", "difference"),
    "WMAIndicator": ("wma", "value"),
    "AverageTrueRange": ("atr", "value"),
    "BollingerBands": ("bollinger", "below"),
    "DonchianChannel": ("donchian", "percent"),
    "KeltnerChannel": ("keltner", "below"),
    "UlcerIndex": ("ulcer_index", "value"),
    "AccDistIndexIndicator": ("adl", "value"),
    "ChaikinMoneyFlowIndicator": ("cmf", "value"),
    "EaseOfMovementIndicator": ("ease_of_movement", "average"),
    "ForceIndexIndicator": ("force_index", "value"),
    "MFIIndicator": ("mfi", "value"),
    "NegativeVolumeIndexIndicator": ("nvi", "value"),
    "OnBalanceVolumeIndicator": ("obv", "value"),
    "VolumePriceTrendIndicator": ("vpt", "value"),
    "VolumeWeightedAveragePrice": ("rolling_vwap", "value"),
    "CumulativeReturnIndicator": ("cumulative_return", "value"),
    "DailyLogReturnIndicator": ("daily_log_return", "value"),
    "DailyReturnIndicator": ("daily_return", "value"),
}
