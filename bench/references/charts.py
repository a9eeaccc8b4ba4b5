"""Charts of their own: what others compute."""

from functools import partial

import pandas_ta_classic as pandas_ta
from ta.trend import IchimokuIndicator

from bench.references import Candles, Floats, Reference
from cryptowatch.indicators import find


def _ichimoku(candles: Candles, output: str) -> Floats:
    lines = IchimokuIndicator(candles.frame.high, candles.frame.low, 9, 26, 52)
    values = {
        "conversion": lines.ichimoku_conversion_line,
        "base": lines.ichimoku_base_line,
        "span_a": lines.ichimoku_a,
        "span_b": lines.ichimoku_b,
        "cloud_a": lambda: lines.ichimoku_a().shift(25),
        "cloud_b": lambda: lines.ichimoku_b().shift(25),
    }
    return values[output]().to_numpy()


def _heikin_ashi(candles: Candles, output: str) -> Floats:
    table = candles.frame
    return pandas_ta.ha(table.open, table.high, table.low, table.close)[f"HA_{output}"].to_numpy()


ROWS: list[Reference] = [
    *(
        Reference(
            "ichimoku",
            output,
            "ta",
            partial(_ichimoku, output=output),
            note="the cloud at a candle is its span of 25 candles before",
        )
        for output in find("ichimoku").outputs
    ),
    *(
        Reference("heikin_ashi", output, "pandas-ta-classic", partial(_heikin_ashi, output=output))
        for output in find("heikin_ashi").outputs
    ),
]
