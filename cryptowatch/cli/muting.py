"""What one does not want to be told: mute, unmute, ack."""

from enum import StrEnum
from typing import Annotated

import typer

from cryptowatch.cli.options import Json, Profile, Region, Stack, ask, fail, print_json

app = typer.Typer()


class What(StrEnum):
    watch = "watch"
    market = "market"
    recipient = "recipient"
    tag = "tag"


Kind = Annotated[What, typer.Argument(help="What kind of thing.", metavar="KIND")]
Name = Annotated[str, typer.Argument(help="Which one: its name in the watch list.")]


@app.command()
def mute(
    kind: Kind,
    name: Name,
    length: Annotated[str | None, typer.Option("--for", help="For how long, like 45m, 12h, 3d.")] = None,
    until: Annotated[str | None, typer.Option(help="Until when, like '2026-03-01 18:30'; UTC.")] = None,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Tell nothing of a watch, a market, a recipient or a tag until then; what is held back is counted.

    Example: `cryptowatch mute market kraken:BTC/USD --for 12h`
    """
    if (length is None) == (until is None):
        fail("say until when, with one of --for and --until")
    asked = {"kind": kind, "name": name, "length": length, "until": until}
    result = ask({"action": "mute", "mute": asked}, stack, region, profile)
    if as_json:
        print_json(result)
    else:
        typer.echo(f"{kind} {name} is muted until {result['until'][:16].replace('T', ' ')} UTC")


@app.command()
def unmute(
    kind: Kind,
    name: Name,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """End a mute now.

    Example: `cryptowatch unmute market kraken:BTC/USD`
    """
    result = ask({"action": "mute", "mute": {"kind": kind, "name": name}}, stack, region, profile)
    if as_json:
        print_json(result)
    else:
        typer.echo(f"{kind} {name} is not muted any more")


@app.command()
def ack(
    alert: Annotated[int, typer.Argument(help="The alert's number, as `cryptowatch alerts` shows it.", min=1)],
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Acknowledge an alert: its episode is not told again while it goes on, only its end.

    Example: `cryptowatch ack 4711`
    """
    result = ask({"action": "ack", "alert_id": alert}, stack, region, profile)
    if as_json:
        print_json(result)
    else:
        typer.echo(f"{result['watch']} on {result['market']} is not told again until it is over")
