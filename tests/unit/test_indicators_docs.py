"""The indicator reference says what is so."""

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


def test_every_output_of_every_indicator_of_the_ta_library_is_there() -> None:
    import ta

    modules = (ta.momentum, ta.trend, ta.volatility, ta.volume, ta.others)
    classes = {
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, ta.utils.IndicatorMixin)
        and thing is not ta.utils.IndicatorMixin
    }
    assert len(classes) == 43
    methods = {f"{one.__name__}.{name}" for one in classes for name in vars(one) if not name.startswith("_")}
    assert methods == set(OF_TA)
    for ours in OF_TA.values():
        name, _, output = ours.partition(".")
        assert output in find(name).outputs


#: What `ta` gives, and what it is called here.
OF_TA = {
    "ADXIndicator.adx": "adx.adx",
    "ADXIndicator.adx_neg": "adx.minus_di",
    "ADXIndicator.adx_pos": "adx.plus_di",
    "AccDistIndexIndicator.acc_dist_index": "adl.value",
    "AroonIndicator.aroon_down": "aroon.down",
    "AroonIndicator.aroon_indicator": "aroon.oscillator",
    "AroonIndicator.aroon_up": "aroon.up",
    "AverageTrueRange.average_true_range": "atr.value",
    "AwesomeOscillatorIndicator.awesome_oscillator": "awesome.value",
    "BollingerBands.bollinger_hband": "bollinger.upper",
    "BollingerBands.bollinger_hband_indicator": "bollinger.above",
    "BollingerBands.bollinger_lband": "bollinger.lower",
    "BollingerBands.bollinger_lband_indicator": "bollinger.below",
    "BollingerBands.bollinger_mavg": "bollinger.middle",
    "BollingerBands.bollinger_pband": "bollinger.percent",
    "BollingerBands.bollinger_wband": "bollinger.width",
    "CCIIndicator.cci": "cci.value",
    "ChaikinMoneyFlowIndicator.chaikin_money_flow": "cmf.value",
    "CumulativeReturnIndicator.cumulative_return": "cumulative_return.value",
    "DPOIndicator.dpo": "dpo.value",
    "DailyLogReturnIndicator.daily_log_return": "daily_log_return.value",
    "DailyReturnIndicator.daily_return": "daily_return.value",
    "DonchianChannel.donchian_channel_hband": "donchian.upper",
    "DonchianChannel.donchian_channel_lband": "donchian.lower",
    "DonchianChannel.donchian_channel_mband": "donchian.middle",
    "DonchianChannel.donchian_channel_pband": "donchian.percent",
    "DonchianChannel.donchian_channel_wband": "donchian.width",
    "EMAIndicator.ema_indicator": "ema.value",
    "EaseOfMovementIndicator.ease_of_movement": "ease_of_movement.value",
    "EaseOfMovementIndicator.sma_ease_of_movement": "ease_of_movement.average",
    "ForceIndexIndicator.force_index": "force_index.value",
    "IchimokuIndicator.ichimoku_a": "ichimoku.span_a",
    "IchimokuIndicator.ichimoku_b": "ichimoku.span_b",
    "IchimokuIndicator.ichimoku_base_line": "ichimoku.base",
    "IchimokuIndicator.ichimoku_conversion_line": "ichimoku.conversion",
    "KAMAIndicator.kama": "kama.value",
    "KSTIndicator.kst": "kst.kst",
    "KSTIndicator.kst_diff": "kst.histogram",
    "KSTIndicator.kst_sig": "kst.signal",
    "KeltnerChannel.keltner_channel_hband": "keltner.upper",
    "KeltnerChannel.keltner_channel_hband_indicator": "keltner.above",
    "KeltnerChannel.keltner_channel_lband": "keltner.lower",
    "KeltnerChannel.keltner_channel_lband_indicator": "keltner.below",
    "KeltnerChannel.keltner_channel_mband": "keltner.middle",
    "KeltnerChannel.keltner_channel_pband": "keltner.percent",
    "KeltnerChannel.keltner_channel_wband": "keltner.width",
    "MACD.macd": "macd.macd",
    "MACD.macd_diff": "macd.histogram",
    "MACD.macd_signal": "macd.signal",
    "MFIIndicator.money_flow_index": "mfi.value",
    "MassIndex.mass_index": "mass_index.value",
    "NegativeVolumeIndexIndicator.negative_volume_index": "nvi.value",
    "OnBalanceVolumeIndicator.on_balance_volume": "obv.value",
    "PSARIndicator.psar": "psar.value",
    "PSARIndicator.psar_down": "psar.down",
    "PSARIndicator.psar_down_indicator": "psar.down_signal",
    "PSARIndicator.psar_up": "psar.up",
    "PSARIndicator.psar_up_indicator": "psar.up_signal",
    "PercentagePriceOscillator.ppo": "ppo.ppo",
    "PercentagePriceOscillator.ppo_hist": "ppo.histogram",
    "PercentagePriceOscillator.ppo_signal": "ppo.signal",
    "PercentageVolumeOscillator.pvo": "pvo.pvo",
    "PercentageVolumeOscillator.pvo_hist": "pvo.histogram",
    "PercentageVolumeOscillator.pvo_signal": "pvo.signal",
    "ROCIndicator.roc": "roc.value",
    "RSIIndicator.rsi": "rsi.value",
    "SMAIndicator.sma_indicator": "sma.value",
    "STCIndicator.stc": "stc.value",
    "StochRSIIndicator.stochrsi": "stochrsi.raw",
    "StochRSIIndicator.stochrsi_d": "stochrsi.d",
    "StochRSIIndicator.stochrsi_k": "stochrsi.k",
    "StochasticOscillator.stoch": "stoch.k",
    "StochasticOscillator.stoch_signal": "stoch.d",
    "TRIXIndicator.trix": "trix.value",
    "TSIIndicator.tsi": "tsi.value",
    "UlcerIndex.ulcer_index": "ulcer_index.value",
    "UltimateOscillator.ultimate_oscillator": "ultimate_oscillator.value",
    "VolumePriceTrendIndicator.volume_price_trend": "vpt.value",
    "VolumeWeightedAveragePrice.volume_weighted_average_price": "rolling_vwap.value",
    "VortexIndicator.vortex_indicator_diff": "vortex.difference",
    "VortexIndicator.vortex_indicator_neg": "vortex.minus",
    "VortexIndicator.vortex_indicator_pos": "vortex.plus",
    "WMAIndicator.wma": "wma.value",
    "WilliamsRIndicator.williams_r": "williams_r.value",
}
