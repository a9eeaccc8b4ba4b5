"""What `cryptowatch gaps` prints."""

from typing import Any

from rich.table import Table

from cryptowatch.cli.show import out

_STATES = (("missing", "missing"), ("unobtainable", "unobtainable"), ("not_settled", "not settled"))


def show(result: dict[str, Any]) -> None:
    """The gaps, newest first; then how many there are of each market and interval, and of all."""
    everything = result["all"]
    between = f"from {_time(result['since'])} to {_time(result['now'])} UTC"
    _marked(result["marked"])
    if not everything["gaps"]:
        out.print(f"no gap {between}")
        return
    table = Table("from (UTC)", "to", "market", "interval", "candles", "what", "asked again", box=None)
    for gap in result["gaps"]:
        row = (_time(gap["from"]), _time(gap["to"]), gap["market"], gap["interval"], f"{gap['candles']:,}")
        table.add_row(*row, gap["state"], _asked_again(gap))
    out.print(table)
    totals = Table("market", "interval", "gaps", *(f"candles {title}" for _, title in _STATES), box=None)
    for total in result["totals"]:
        counts = (f"{total[name]:,}" for name in ("gaps", *(name for name, _ in _STATES)))
        totals.add_row(total["market"], total["interval"], *counts)
    out.print(totals)
    counts_of_all = ", ".join(f"{everything[name]:,} {title}" for name, title in _STATES)
    shown = len(result["gaps"])
    most = f", the newest {shown:,} shown" if shown < everything["gaps"] else ""
    out.print(f"{everything['gaps']:,} gaps {between}{most}; candles {counts_of_all}")


def _asked_again(gap: dict[str, Any]) -> str:
    if not gap["asks"] and not gap["next_ask"]:
        return ""
    return f"{gap['asks']} x" + (f", next {_time(gap['next_ask'])}" if gap["next_ask"] else "")


def _marked(marks: list[dict[str, Any]]) -> None:
    """The candles that look wrong: they reach far beyond what another exchange shows."""
    if not marks:
        return
    table = Table("opens (UTC)", "market", "interval", "wick", "not on", box=None)
    for mark in marks:
        wick = f"{mark['wick']:.0%}"
        table.add_row(_time(mark["open_time"]), mark["market"], mark["interval"], wick, mark["not_on"])
    out.print(table)


def _time(text: str) -> str:
    return text[:16].replace("T", " ")
