"""The command `metrics`: figures of the whole market."""

from typing import Any

import typer

from cryptowatch.cli.options import Json, Profile, Region, Stack, ask, print_json

app = typer.Typer()


@app.command()
def metrics(stack: Stack = None, region: Region = None, profile: Profile = None, as_json: Json = False) -> None:
    """Show the figures of the whole market that a running system keeps: what each is and its newest value.

    Example: `cryptowatch metrics`
    """
    result = ask({"action": "metrics"}, stack, region, profile)
    print_json(result["metrics"]) if as_json else show(result["metrics"])


def show(rows: list[dict[str, Any]]) -> None:
    """A line for each metric."""
    from rich.table import Table

    from cryptowatch.cli.show import out

    table = Table("metric", "newest", "since (UTC)", "kept", "asked every", "from", "what", box=None)
    for row in rows:
        newest = "-" if row["value"] is None else f"{row['value']:,.10g}"
        since = "-" if row["time"] is None else row["time"][:16].replace("T", " ")
        every = f"{row['every_minutes']:g} min"
        table.add_row(row["name"], newest, since, f"{row['values']:,}", every, row["source"], row["what"])
    out.print(table)
