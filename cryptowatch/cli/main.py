"""The command line. Each command is a thin call of a documented function; errors are one clear line and exit code 1."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Tells people by email when a crypto market does what they asked it to look for.",
)
local = typer.Typer(no_args_is_help=True, help="The whole system on this machine: no account, no Docker.")
app.add_typer(local, name="local")

File = Annotated[Path, typer.Argument(help="The watch list, a YAML file.", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="Print data instead of text.")]
Stack = Annotated[str | None, typer.Option("--stack", help="A stack in the cloud; else the running local one.")]
Region = Annotated[str | None, typer.Option("--region", help="The stack's AWS region.")]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no exchange: symbols are then not checked.")]


class Source(StrEnum):
    auto = "auto"
    live = "live"
    simulated = "simulated"
    replay = "replay"


@app.command()
def check(file: File, offline: Offline = False, as_json: Json = False) -> None:
    """Check a watch list: keys, markets, rules, recipients.

    Example: `cryptowatch check examples/watches.yaml`
    """
    from cryptowatch.cli import show

    checked = _read(file, offline, as_json)
    if as_json:
        _print_json(checked.model_dump(mode="json", by_alias=True))
        return
    show.watch_list(checked)
    show.out.print(f"{file} is fine: {len(checked.watches)} watches, {len(checked.recipients)} recipients")


@app.command()
def apply(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    offline: Offline = False,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """Make a running system watch what the file says; applying it again changes nothing.

    Example: `cryptowatch apply watches.yaml --stack crypto-watch`
    """
    from cryptowatch.cli import show

    checked = _read(file, offline, as_json, local_exchange=stack is None).model_dump(mode="json", by_alias=True)
    report = _ask({"action": "apply", "watch_list": checked, "dry_run": dry_run}, stack, region)
    if as_json:
        _print_json(report)
    else:
        show.changes(report)


@app.command()
def preview(
    file: File,
    candles: Annotated[Path | None, typer.Option(help="The folder of recorded candles.", metavar="FOLDER")] = None,
    watch: Annotated[str | None, typer.Option(help="Only this watch.", metavar="NAME")] = None,
    since: Annotated[str | None, typer.Option(help="Only the last so long of the candles, like 12h, 90d.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a watch list would have told over recorded candles: how many emails, on which days, about what.

    Example: `cryptowatch preview watches.yaml --candles FOLDER --since 90d`
    """
    if candles is None:
        _fail("preview needs a folder of recorded candles: --candles FOLDER")
    from cryptowatch.cli import preview_page as page

    text = _text(file)
    try:
        with page.progress() as told:
            result = page.preview(text, str(file), candles, only=watch, since=since, warn=_warn, progress=told)
    except page.ERRORS as error:
        _fail(str(error))
    _print_json(result) if as_json else page.show(result, str(file))


@app.command()
def alerts(
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1000)] = 20,
    stack: Stack = None,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """List the newest alerts and what became of each.

    Example: `cryptowatch alerts --limit 5`
    """
    from cryptowatch.cli import show

    result = _ask({"action": "alerts", "limit": limit}, stack, region)
    if as_json:
        _print_json(result["alerts"])
    else:
        show.alerts(result["alerts"])


@app.command()
def status(stack: Stack = None, region: Region = None, as_json: Json = False) -> None:
    """Show sources, watches, queues, emails, and what is wrong.

    Example: `cryptowatch status --json`
    """
    from cryptowatch.cli import show

    result = _ask({"action": "status"}, stack, region)
    if as_json:
        _print_json(result)
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
    as_json: Json = False,
) -> None:
    """Show where stored candles have gaps: missing at the source, unobtainable, or not settled yet.

    Example: `cryptowatch gaps --market kraken:BTC/USD --since 7d`
    """
    from cryptowatch.cli import gaps as page

    request = {"source": source, "market": market, "interval": interval, "since": since, "limit": limit}
    result = _ask({"action": "gaps", **request}, stack, region)
    _print_json(result) if as_json else page.show(result)


@app.command()
def migrate(stack: Stack = None, region: Region = None, as_json: Json = False) -> None:
    """Bring the database's schema up to date.

    Example: `cryptowatch migrate --stack crypto-watch`
    """
    result = _ask({"action": "migrate"}, stack, region)
    if as_json:
        _print_json(result)
    else:
        typer.echo(f"schema version {result['schema_version']}; applied {', '.join(result['applied']) or 'nothing'}")


@app.command()
def indicators(
    name: Annotated[str | None, typer.Argument(help="One indicator; all of them if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Describe the indicators a rule may use.

    Example: `cryptowatch indicators rsi`
    """
    from cryptowatch.cli import show
    from cryptowatch.indicators import CATALOGUE, find, names
    from cryptowatch.indicators.reference import as_data
    from cryptowatch.watches.problem import did_you_mean

    if name is not None and name not in names():
        _fail(f"unknown indicator {name!r}: {did_you_mean(name, sorted(names()))}")
    entries = [find(name)] if name else [CATALOGUE[key] for key in sorted(CATALOGUE)]
    if as_json:
        _print_json([as_data(entry) for entry in entries])
        return
    if name:
        show.indicator(entries[0])
    else:
        show.indicator_names(entries)


@app.command()
def sources(
    name: Annotated[str | None, typer.Argument(help="One exchange; all of them if left out.")] = None,
    as_json: Json = False,
) -> None:
    """List the exchanges that give candles without a key, and what they give. No network is needed.

    Example: `cryptowatch sources kraken`
    """
    from cryptowatch.cli import sources as page

    if name is None:
        survey = page.all_sources()
        _print_json(page.as_data(survey)) if as_json else page.show_all(survey)
        return
    try:
        one = page.one_source(name)
    except page.NoSourceError as error:
        _fail(str(error))
    _print_json(page.as_data(one)) if as_json else page.show_one(one)


@local.command("run")
def local_run(
    source: Annotated[Source, typer.Option(help="Where candles come from.")] = Source.auto,
    replay: Annotated[Path | None, typer.Option(help="A folder of recorded candles to replay.")] = None,
    speed: Annotated[
        float | None, typer.Option(help="How many times as fast as wall time a record runs.", min=1)
    ] = None,
    watches: Annotated[Path, typer.Option(help="The watch list.")] = Path("examples/watches.yaml"),
    until_emails: Annotated[int | None, typer.Option(help="End with 0 when so many were delivered.", min=1)] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which to end.", min=1)] = None,
) -> None:
    """Run the whole system here until Ctrl-C: PostgreSQL, workers, and the deployed stack on an AWS emulator.

    Example: `cryptowatch local run --source simulated --until-emails 3 --timeout 120`
    """
    if source is Source.replay and replay is None:
        _fail("--source replay needs a folder of recorded candles: --replay FOLDER")
    if replay is not None and source in (Source.live, Source.simulated):
        _fail(f"--replay goes with --source replay, not with {source.value}")
    if speed is not None and source is Source.live:
        _fail("--speed is for simulated and recorded markets, not for live ones")
    if replay is not None and not replay.is_dir():
        _fail(f"{replay}: no such folder")
    _text(watches)  # what cannot be read is said now, not after the start
    from cryptowatch.local.run import run

    raise typer.Exit(run(source.value, replay, speed, watches, until_emails, timeout))


def _read(file: Path, offline: bool, as_json: bool, local_exchange: bool = True) -> Any:
    from cryptowatch.pipeline.catalog import ExchangeCatalog
    from cryptowatch.watches.problem import WatchListError
    from cryptowatch.watches.reader import read_watch_list

    text = _text(file)
    catalog = ExchangeCatalog(base_url=_exchange_url(local_exchange), offline=offline, warn=_warn)
    try:
        return read_watch_list(text, file=str(file), catalog=catalog, warn=_warn)
    except WatchListError as error:
        if as_json:
            _print_json({"problems": [vars(problem) for problem in error.problems]})
        _fail(str(error))


def _warn(message: object) -> None:
    typer.echo(f"warning: {message}", err=True)


def _text(file: Path) -> str:
    from cryptowatch.cli.files import FileUnreadableError, read_text

    try:
        return read_text(file)
    except FileUnreadableError as error:
        _fail(str(error))


def _exchange_url(local_exchange: bool) -> str | None:
    """The simulated exchange, where the system that is meant reads that one; None for the real ones."""
    from cryptowatch.local.state import read_state
    from cryptowatch.settings import Settings

    state = read_state() if local_exchange else None
    return state.exchange_url if state else Settings().exchange_url


def _ask(request: dict[str, Any], stack: str | None, region: str | None) -> dict[str, Any]:
    from cryptowatch.cli.control import ControlError, ask

    try:
        return ask(request, stack, region)
    except ControlError as error:
        _fail(str(error))


def _print_json(data: object) -> None:
    typer.echo(json.dumps(data, indent=2))


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def main() -> None:
    """The command `cryptowatch`."""
    app()


if __name__ == "__main__":
    main()
