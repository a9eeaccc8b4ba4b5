"""What one does with a watch list: check, preview, apply."""

from pathlib import Path
from typing import Annotated

import typer

from cryptowatch.cli.options import (
    File,
    Json,
    Offline,
    Profile,
    Region,
    Stack,
    ask,
    fail,
    print_json,
    read_file,
    read_watches,
    warn,
)

app = typer.Typer()


@app.command()
def check(file: File, offline: Offline = False, as_json: Json = False) -> None:
    """Check a watch list: keys, markets, rules, recipients.

    Example: `cryptowatch check examples/watches.yaml`
    """
    from cryptowatch.cli import show

    checked = read_watches(file, offline, as_json)
    if as_json:
        print_json(checked.model_dump(mode="json", by_alias=True))
        return
    show.watch_list(checked)
    show.out.print(f"{file} is fine: {len(checked.watches)} watches, {len(checked.recipients)} recipients")


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
        fail("preview needs a folder of recorded candles: --candles FOLDER")
    from cryptowatch.cli import preview_page as page

    text = read_file(file)
    try:
        with page.progress() as told:
            result = page.preview(text, str(file), candles, only=watch, since=since, warn=warn, progress=told)
    except page.ERRORS as error:
        fail(str(error))
    print_json(result) if as_json else page.show(result, str(file))


@app.command()
def apply(
    file: File,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    offline: Offline = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Make a running system watch what the file says; applying it again changes nothing.

    Example: `cryptowatch apply watches.yaml --stack crypto-watch`
    """
    from cryptowatch.cli import show

    checked = read_watches(file, offline, as_json, local_exchange=stack is None).model_dump(mode="json", by_alias=True)
    report = ask({"action": "apply", "watch_list": checked, "dry_run": dry_run}, stack, region, profile)
    if as_json:
        print_json(report)
    else:
        show.changes(report)
