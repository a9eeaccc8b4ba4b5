"""What one asks a running system, or has it do: alerts, status, gaps, migrate, confirm."""

from typing import Annotated

import typer

from cryptowatch.cli.options import Json, Profile, Region, Stack, ask, fail, print_json

app = typer.Typer()


@app.command()
def alerts(
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1000)] = 20,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """List the newest alerts and what became of each.

    Example: `cryptowatch alerts --limit 5`
    """
    from cryptowatch.cli import show

    result = ask({"action": "alerts", "limit": limit}, stack, region, profile)
    if as_json:
        print_json(result["alerts"])
    else:
        show.alerts(result["alerts"])


@app.command()
def status(stack: Stack = None, region: Region = None, profile: Profile = None, as_json: Json = False) -> None:
    """Show sources, watches, queues, emails, and what is wrong.

    Example: `cryptowatch status --json`
    """
    from cryptowatch.cli import show

    result = ask({"action": "status"}, stack, region, profile)
    if as_json:
        print_json(result)
    else:
        show.status(result)


@app.command()
def gaps(
    source: Annotated[str | None, typer.Option(help="Only markets of this exchange.")] = None,
    market: Annotated[str | None, typer.Option(help="Only this market, like kraken:BTC/USD.")] = None,
    interval: Annotated[str | None, typer.Option(help="Only this interval, like 1h.")] = None,
    since: Annotated[str, typer.Option(help="How far back to look, like 12h, 30d, 8w.")] = "30d",
    limit: Annotated[int, typer.Option(help="How many gaps, the newest first.", min=1, max=1000)] = 20,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Show where stored candles have gaps: missing at the source, unobtainable, or not settled yet.

    Example: `cryptowatch gaps --market kraken:BTC/USD --since 7d`
    """
    from cryptowatch.cli import gaps as page

    request = {"source": source, "market": market, "interval": interval, "since": since, "limit": limit}
    result = ask({"action": "gaps", **request}, stack, region, profile)
    print_json(result) if as_json else page.show(result)


@app.command("track-record")
def track_record(
    watch: Annotated[str | None, typer.Option(help="Only this watch.")] = None,
    markets: Annotated[bool, typer.Option("--markets", help="Market by market, not only all together.")] = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Show what the price did after a watch's past signals, beside what it does anyway.

    Example: `cryptowatch track-record --watch "Oversold dip" --markets`
    """
    from cryptowatch.cli import track_record as page

    asked = {"action": "track_record", "watch": watch, "each_market": markets}
    records = ask(asked, stack, region, profile)["records"]
    print_json(records) if as_json else page.show(records)


@app.command()
def migrate(stack: Stack = None, region: Region = None, profile: Profile = None, as_json: Json = False) -> None:
    """Bring the database's schema up to date.

    Example: `cryptowatch migrate --stack crypto-watch`
    """
    result = ask({"action": "migrate"}, stack, region, profile)
    if as_json:
        print_json(result)
    else:
        typer.echo(f"schema version {result['schema_version']}; applied {', '.join(result['applied']) or 'nothing'}")


@app.command()
def confirm(
    link: Annotated[
        str, typer.Argument(help="The link of the mail that AWS sent, copied, not clicked.", metavar="LINK")
    ],
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Confirm a recipient's address so that no click, and no mail scanner's, can end it.

    Example: `cryptowatch confirm "https://sns.eu-central-1.amazonaws.com/confirmation.html?..." --stack crypto-watch`
    """
    from cryptowatch.alerts.confirm_link import ConfirmLinkError, read_confirm_link

    try:
        read = read_confirm_link(link)
    except ConfirmLinkError as error:
        fail(str(error))
    confirmation = {"topic_arn": read.topic_arn, "token": read.token}
    result = ask({"action": "confirm", "confirmation": confirmation}, stack, region, profile)
    if as_json:
        print_json(result)
    else:
        typer.echo(f"confirmed {', '.join(result['confirmed'])}: only this account can end it")
