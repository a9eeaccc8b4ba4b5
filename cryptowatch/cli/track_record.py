"""What `cryptowatch track-record` prints."""

from typing import Any

from rich.table import Table

from cryptowatch.cli.show import out

_NOTE = "Entered at the open of the candle after the signal. Information, not advice: see docs/track-record.md."


def show(records: list[dict[str, Any]]) -> None:
    """A table a record: of all markets of a watch, or of one."""
    if not records:
        out.print("no track record yet: it is worked out when a watch is new, and then once a day", style="yellow")
        return
    for one in records:
        where = one["market"] or "all markets"
        between = f"{_time(one['from'])} to {_time(one['to'])} UTC" if one["from"] else "no candles yet"
        out.print(f"{one['watch']}  {where}, {one['interval']} candles, {between}", style="bold")
        table = Table("within", "signals", "rose", "any", "median", "quartiles", "worst", "", box=None)
        for horizon in one["horizons"]:
            signals, any_ = horizon["signals"], horizon["any"]
            table.add_row(
                horizon["span"],
                str(signals["count"]),
                _share(signals["rose"]),
                _share(any_["rose"]),
                _change(signals["median"]),
                f"{_change(signals['lower'])} … {_change(signals['upper'])}",
                _change(signals["worst"]),
                horizon["words"].partition(": ")[2].rpartition(": ")[2] or horizon["words"],
            )
        out.print(table)
    out.print(_NOTE, style="dim")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _change(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2%}"


def _time(text: str) -> str:
    return text[:16].replace("T", " ")
