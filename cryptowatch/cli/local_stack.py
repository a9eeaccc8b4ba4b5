"""The whole system on this machine."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cryptowatch.cli.options import fail, read_file

app = typer.Typer(no_args_is_help=True, help="The whole system on this machine: no account, no Docker.")


class Source(StrEnum):
    auto = "auto"
    live = "live"
    simulated = "simulated"
    replay = "replay"


@app.command("run")
def local_run(
    source: Annotated[Source, typer.Option(help="Where candles come from.")] = Source.auto,
    replay: Annotated[Path | None, typer.Option(help="A folder of recorded candles to replay.")] = None,
    speed: Annotated[
        float | None, typer.Option(help="How many times as fast as wall time a record runs.", min=1)
    ] = None,
    watches: Annotated[Path, typer.Option(help="The watch list.")] = Path("examples/watches.yaml"),
    until_emails: Annotated[int | None, typer.Option(help="End with 0 when so many were delivered.", min=1)] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which to end.", min=1)] = None,
    flood: Annotated[int, typer.Option(help="Queue so many bulk tasks, to see the fleet grow and shrink.")] = 0,
) -> None:
    """Run the whole system here until Ctrl-C: PostgreSQL, workers, and the deployed stack on an AWS emulator.

    Example: `cryptowatch local run --source simulated --until-emails 3 --timeout 120`
    """
    if source is Source.replay and replay is None:
        fail("--source replay needs a folder of recorded candles: --replay FOLDER")
    if replay is not None and source in (Source.live, Source.simulated):
        fail(f"--replay goes with --source replay, not with {source.value}")
    if speed is not None and source is Source.live:
        fail("--speed is for simulated and recorded markets, not for live ones")
    if replay is not None and not replay.is_dir():
        fail(f"{replay}: no such folder")
    read_file(watches)  # what cannot be read is said now, not after the start
    from cryptowatch.local.run import run

    raise typer.Exit(run(source.value, replay, speed, watches, until_emails, timeout, flood))
