"""Asking a running system for history."""

from collections.abc import Mapping
from typing import Annotated

import typer

from cryptowatch.cli.options import Json, Profile, Region, Stack, ask, exchange_url, fail, print_json, warn

app = typer.Typer()


@app.command()
def backfill(
    markets: Annotated[
        list[str] | None, typer.Argument(help="Markets like kraken:BTC/USD, or 'coinbase:*/USD'.", metavar="MARKETS")
    ] = None,
    since: Annotated[str, typer.Option(help="How far back: a date like 2024-01-01, or 90d.")] = "365d",
    interval: Annotated[
        str | None, typer.Option(help="The interval, like 1h; else those that are stored already.")
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="End it; what is stored stays.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Show how it goes until it is done.")] = True,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Read older candles, the newest first; without MARKETS show how the backfills stand.

    The system's workers do it: Ctrl-C leaves it going, and the same command shows it again.

    Example: `cryptowatch backfill kraken:BTC/USD --interval 1d --since 2020-01-01`
    """
    from cryptowatch.cli import backfill_page as page
    from cryptowatch.watches.market_names import MarketNameError

    try:
        names = page.expanded(markets or [], exchange_url(stack is None), warn)
    except MarketNameError as error:
        fail(f"{error.message}: {error.hint}" if error.hint else error.message)
    look: dict[str, object] = {"markets": names, "interval": interval}
    request: dict[str, object] = {**look, "since": None if cancel or not names else since, "cancel": cancel}

    def told(request: Mapping[str, object]) -> page.Rows:
        answer: page.Rows = ask({"action": "backfill", "backfill": request}, stack, region, profile)["backfills"]
        return answer

    rows = told(request)
    if names and wait and not cancel and not as_json:
        rows = page.follow(rows, lambda: told(look))
    print_json(rows) if as_json else page.show(rows)
    if any(row["state"] == "failed" for row in rows):
        raise typer.Exit(1)
