"""What others compute for the group `returns`."""

import numpy as np
import pandas as pd
import talib
from ta import others as ta

from bench.references import Candles, Floats, Reference


def _log_return_defined(candles: Candles) -> Floats:
    return 100 * np.diff(np.log(candles.close), prepend=np.nan)


ROWS: list[Reference] = [
    Reference("change_pct", "value", "TA-Lib", lambda candles: talib.ROC(candles.close, 1)),
    Reference("change_pct", "value", "TA-Lib", lambda candles: talib.ROC(candles.close, 24), parameters=(24,)),
    Reference(
        "daily_return",
        "value",
        "ta",
        lambda candles: ta.DailyReturnIndicator(pd.Series(candles.close)).daily_return(),
    ),
    Reference("daily_return", "value", "TA-Lib", lambda candles: talib.ROC(candles.close, 1)),
    Reference(
        "daily_log_return",
        "value",
        "ta",
        lambda candles: ta.DailyLogReturnIndicator(pd.Series(candles.close)).daily_log_return(),
    ),
    Reference("daily_log_return", "value", "definition", _log_return_defined),
    Reference(
        "cumulative_return",
        "value",
        "ta",
        lambda candles: ta.CumulativeReturnIndicator(pd.Series(candles.close)).cumulative_return(),
    ),
]
