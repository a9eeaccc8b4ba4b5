"""Compare every output of every indicator with what others compute: `python -m bench.references`.

Prints the table and writes `docs/accuracy.md`; needs the recorded candles.
"""

import sys
import textwrap
from pathlib import Path

from bench.references import RECORDED, RECORDS, Reference, compare, load, reference_rows
from cryptowatch.indicators import find

PAGE = Path(__file__).resolve().parents[2] / "docs" / "accuracy.md"

#: Indicators that are tested against a published worked example as well.
PUBLISHED = ("adl", "atr", "bollinger", "cci", "donchian", "ease_of_movement", "force_index", "macd", "obv", "ppo")
PUBLISHED += ("pvo", "roc", "rolling_vwap", "rsi", "sma", "stc", "stoch", "ulcer_index", "ultimate_oscillator", "vpt")
PUBLISHED += ("williams_r", "wma")

INTRODUCTION = """# How accurate the indicators are

*Written by `python -m bench.references`; do not edit.*

Each output of each indicator is computed for {candles:,} recorded candles of {markets} markets ({intervals}; where the
exchange had no candle it is filled as the product fills it), and again by somebody else: by TA-Lib, by the library
`ta`, by pandas-ta-classic, or, as *definition*, by a slow and plain program of the published formula that shares no
code with the indicator. Where both have a value, the difference is taken. The error is the largest of these
differences, over all records, as a share of what the output is measured in: the mean close of the record for prices and
changes of price, 100 for percent, 1 for ratios, counts of candles and flags, and the largest value of the record for
volume and turnover. (A value near zero has no relative error of its own.) About 1e-16 is what a float64 can tell apart.

Parameters are the defaults unless the first column names others. *Candles* is how many values were compared; it is less
where one of the two has none, or where the start is left out because the two begin differently. *Allowed* is what the
tests demand. The last column says where and why the two differ. Other libraries keep running sums, which never lose the
rounding of what has left the window: where the error is between 1e-12 and 1e-8, it is often theirs.

{published}

"""
WORKED_EXAMPLES = (
    "Besides, these equal the worked examples of StockCharts' ChartSchool to the digits that those print "
    "(`tests/unit/test_indicators_published.py` says how, where a table begins in another way):"
)
HEAD = (
    "indicator",
    "output",
    "engine",
    "compared with",
    "candles",
    "worst error",
    "allowed",
    "where and why they differ",
)


def called(row: Reference) -> str:
    """The indicator with its parameters, where they are not the defaults."""
    return f"{row.indicator}({', '.join(f'{one:g}' for one in row.parameters)})" if row.parameters else row.indicator


def line_of(row: Reference) -> str:
    """One line of the table."""
    found = [compare(row, load(record)) for record in RECORDS]
    error, candles = max(one.error for one in found), sum(one.candles for one in found)
    cells = (f"`{called(row)}`", f"`{row.output}`", find(row.indicator).engine, row.by, f"{candles:,}")
    return (
        "| " + " | ".join((*cells, f"{error:.0e}" if error else "0", f"{row.tolerance:.0e}", row.note)).strip() + " |"
    )


def page(rows: list[Reference]) -> str:
    """The document."""
    candles = sum(len(load(record)) for record in RECORDS)
    intervals = ", ".join(dict.fromkeys(record.rsplit("-", 1)[1] for record in RECORDS))
    published = textwrap.fill(f"{WORKED_EXAMPLES} {', '.join(f'`{name}`' for name in PUBLISHED)}.", 120)
    lines = [INTRODUCTION.format(candles=candles, markets=len(RECORDS), intervals=intervals, published=published)]
    lines += ["| " + " | ".join(HEAD) + " |\n", "|" + "|".join([" --- "] * 4 + [" ---: "] * 3 + [" --- "]) + "|\n"]
    for row in rows:
        lines.append(line_of(row) + "\n")
        print(lines[-1], end="", flush=True)
    return "".join(lines)


def table_keys(text: str) -> list[tuple[str, str, str]]:
    """Indicator, output and reference of each line of the document's table."""
    cells = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")
    ]
    return [(one[0].split("(")[0], one[1], one[3]) for one in cells]


def main() -> None:
    if not RECORDED.is_dir():
        sys.exit("the recorded candles (../shared/data/candles) are not on this machine")
    PAGE.write_text(page(reference_rows()))


if __name__ == "__main__":
    main()
