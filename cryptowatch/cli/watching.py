"""What one does with a watch list: check, preview, apply."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from cryptowatch.watches.form import CheckedWatchList

app = typer.Typer()


def _sent(checked: "CheckedWatchList") -> dict[str, Any]:
    """A list as it is sent: only what it says, so that a system of the version before takes what it knows."""
    return checked.model_dump(mode="json", by_alias=True, exclude_defaults=True)


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
    offline: Offline = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Show what a watch list would have told: how many emails, on which days, about what.

    Over a folder of recorded candles, or, without one, over those that a running system has stored.

    Example: `cryptowatch preview watches.yaml --since 90d`
    """
    from cryptowatch.cli import preview_page as page
    from cryptowatch.cli.control import ControlError
    from cryptowatch.cli.stored_preview import stored_preview

    try:
        if candles is not None:
            with page.progress() as told:
                text = read_file(file)
                result = page.preview(text, str(file), candles, only=watch, since=since, warn=warn, progress=told)
        else:
            checked = read_watches(file, offline, as_json, local_exchange=stack is None)
            asker = partial(ask, stack=stack, region=region, profile=profile)
            with page.progress() as told:
                result = stored_preview(_sent(checked), asker, only=watch, since=since, progress=told)
    except (*page.ERRORS, ControlError) as error:
        fail(str(error))
    print_json(result) if as_json else page.show(result, str(file))


@app.command()
def apply(
    file: File,
    estimate: Annotated[bool, typer.Option(help="Say how many emails a day new watches would have sent.")] = True,
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
    from cryptowatch.cli.control import ControlError
    from cryptowatch.cli.stored_preview import estimates

    checked = _sent(read_watches(file, offline, as_json, local_exchange=stack is None))
    report = ask({"action": "apply", "watch_list": checked, "dry_run": dry_run}, stack, region, profile)
    report["estimates"] = []
    if estimate:
        try:
            asker = partial(ask, stack=stack, region=region, profile=profile)
            report["estimates"] = estimates(checked, report["added"], asker)
        except ControlError as error:
            warn(f"no estimate of the new watches: {error}")
    if as_json:
        print_json(report)
    else:
        show.changes(report)
