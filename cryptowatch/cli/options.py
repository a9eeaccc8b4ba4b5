"""What the commands share: their common options, and how they print data, warn and fail."""

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

File = Annotated[Path, typer.Argument(help="The watch list, a YAML file.", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="Print data instead of text.")]
Stack = Annotated[str | None, typer.Option("--stack", help="A stack in the cloud; else the running local one.")]
Region = Annotated[str | None, typer.Option("--region", help="The stack's AWS region; else the profile's.")]
Profile = Annotated[str | None, typer.Option("--profile", help="The AWS profile to use; else as AWS finds it.")]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no exchange: symbols are then not checked.")]


def ask(request: dict[str, Any], stack: str | None, region: str | None, profile: str | None = None) -> dict[str, Any]:
    """What the control function answers; ends the command with one line when it does not."""
    from cryptowatch.cli.control import ControlError
    from cryptowatch.cli.control import ask as ask_control

    try:
        return ask_control(request, stack, region, profile)
    except ControlError as error:
        fail(str(error))


def read_watches(file: Path, offline: bool, as_json: bool, local_exchange: bool = True) -> Any:
    """The checked watch list; ends the command with its problems when it has some.

    Args:
        local_exchange: ask the simulated exchange of the running local stack, where that reads one.
    """
    from cryptowatch.pipeline.catalog import ExchangeCatalog
    from cryptowatch.watches.problem import WatchListError
    from cryptowatch.watches.reader import read_watch_list

    text = read_file(file)
    catalog = ExchangeCatalog(base_url=exchange_url(local_exchange), offline=offline, warn=warn)
    try:
        return read_watch_list(text, file=str(file), catalog=catalog, warn=warn)
    except WatchListError as error:
        if as_json:
            print_json({"problems": [vars(problem) for problem in error.problems]})
        fail(str(error))


def exchange_url(local_exchange: bool) -> str | None:
    """The simulated exchange, where the system that is meant reads that one; None for the real ones."""
    from cryptowatch.local.state import read_state
    from cryptowatch.settings import Settings

    state = read_state() if local_exchange else None
    return state.exchange_url if state else Settings().exchange_url


def read_file(file: Path) -> str:
    """Its text; ends the command when it cannot be read."""
    from cryptowatch.cli.files import FileUnreadableError, read_text

    try:
        return read_text(file)
    except FileUnreadableError as error:
        fail(str(error))


def warn(message: object) -> None:
    typer.echo(f"warning: {message}", err=True)


def print_json(data: object) -> None:
    typer.echo(json.dumps(data, indent=2))


def fail(message: str) -> NoReturn:
    """End the command with one line and exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
