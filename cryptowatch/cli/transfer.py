"""Bringing candles to a running system, and taking them from it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cryptowatch.cli.options import Json, Profile, Region, Stack, ask, fail, print_json

app = typer.Typer()


class Format(StrEnum):
    csv = "csv"
    csv_gz = "csv.gz"
    parquet = "parquet"


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Files named like ETH_BTC-5m.csv.gz.", metavar="FILE…")],
    source: Annotated[str, typer.Option(help="The exchange they are of, like kraken.")],
    leave_hole: Annotated[
        bool, typer.Option("--leave-hole", help="Leave what lies between a file and what is stored unknown.")
    ] = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Store candles from files (CSV, CSV.gz, Parquet): what is stored already stays as the exchange told it.

    All files are checked before the first candle is sent. Cut off, it goes on when it is run again.

    Example: `cryptowatch import ETH_BTC-5m.csv.gz --source binance`
    """
    from cryptowatch.cli import transfer_page as page

    try:
        brought = [page.read(path, source) for path in files]
    except page.BadRecordError as error:
        fail(str(error))
    results = page.send_all(
        brought, lambda batch: ask({"action": "import", "import": batch}, stack, region, profile), leave_hole=leave_hole
    )
    print_json(results) if as_json else page.show_imported(results)


@app.command()
def export(
    markets: Annotated[list[str], typer.Argument(help="Markets like kraken:BTC/USD.", metavar="MARKETS")],
    interval: Annotated[str, typer.Option(help="The interval, like 1h.")],
    since: Annotated[str, typer.Option(help="From this date on, like 2024-01-01.")] = "2010-01-01",
    folder: Annotated[Path, typer.Option("--to", help="The folder to write to.", metavar="FOLDER")] = Path("."),
    format_: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.csv_gz,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Write stored candles to files that `preview`, `local run --replay` and `import` read.

    Example: `cryptowatch export kraken:BTC/USD --interval 1h --since 2025-01-01 --to candles`
    """
    from cryptowatch.cli import transfer_page as page

    try:
        written = [
            page.take(
                market,
                interval,
                since,
                folder,
                format_.value,
                lambda batch: ask({"action": "export", "export": batch}, stack, region, profile),
            )
            for market in markets
        ]
    except page.NothingWrittenError as error:
        fail(str(error))
    print_json(written) if as_json else page.show_written(written)
