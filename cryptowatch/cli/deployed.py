"""A stack in the cloud: deploy, logs, doctor, scale, destroy."""

from pathlib import Path
from typing import Annotated

import typer

from cryptowatch.cli.options import Json, Profile, Region, ask, fail, print_json, read_watches

app = typer.Typer()

Stack = Annotated[str, typer.Option("--stack", help="The stack's name.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; what would lose data is then refused.")]
NAME = "crypto-watch"


@app.command()
def deploy(
    watches: Annotated[Path | None, typer.Argument(help="The watch list to apply.", metavar="[WATCHES]")] = None,
    stack: Stack = NAME,
    region: Region = None,
    profile: Profile = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the template.", metavar="NAME=VALUE")
    ] = None,
    certificates: Annotated[
        Path | None, typer.Option(help="RDS's certificates; else they are fetched from AWS.", metavar="FILE")
    ] = None,
    yes: Yes = False,
) -> None:
    """Make or update the stack, bring its database up to date, and apply a watch list; again changes nothing.

    Example: `cryptowatch deploy watches.yaml --region eu-central-1 --set AlarmEmail=you@example.com`
    """
    from cryptowatch.cli import deploy_page as page

    wanted = read_watches(watches, False, False, local_exchange=False) if watches else None
    with page.errors():
        one = page.open_deploy(stack, region, profile, settings or [])
        page.check(one)
        uploaded, change_set = page.prepare(one, certificates)
        if change_set:
            page.confirm(one.stack, change_set, yes)
            if not change_set.new:
                one.renew_control(uploaded)
                page.migrated(ask({"action": "migrate"}, stack, region, profile))
            page.execute(one.stack, change_set)
        page.migrated(ask({"action": "migrate"}, stack, region, profile))
    if wanted:
        request = {"action": "apply", "watch_list": wanted.model_dump(mode="json", by_alias=True)}
        page.applied(ask(request, stack, region, profile))


@app.command()
def logs(
    who: Annotated[str | None, typer.Argument(help="Only of dispatch, ingest, sweep, notify, control, worker.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(help="How far back to begin, like 10m, 2h.")] = "10m",
    pattern: Annotated[str | None, typer.Option("--filter", help="A filter pattern of CloudWatch Logs.")] = None,
    stack: Stack = NAME,
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Show what the functions and the workers log.

    Example: `cryptowatch logs ingest --follow --filter ERROR`
    """
    from cryptowatch.cli import deploy_page as page

    with page.errors():
        page.logs(page.open_stack(stack, region, profile), who, follow, since, pattern, as_json)


@app.command()
def doctor(stack: Stack = NAME, region: Region = None, profile: Profile = None, as_json: Json = False) -> None:
    """Look at a deployed stack and say what is wrong and what to do; ends with 1 when something is.

    Example: `cryptowatch doctor --stack crypto-watch`
    """
    from cryptowatch.cli import deploy_page as page

    with page.errors():
        account, found = page.open_stack(stack, region, profile)
        found.there()
        findings = page.diagnose(account, found, ask({"action": "status"}, stack, region, profile))
    if as_json:
        print_json([finding.as_data() for finding in findings])
    else:
        page.findings(findings)
    if any(finding.level == "failed" for finding in findings):
        raise typer.Exit(1)


@app.command()
def scale(
    least: Annotated[int | None, typer.Option(help="Worker instances at least; with 0 work starts one.", min=0)] = None,
    most: Annotated[int | None, typer.Option(help="Worker instances at most.", min=2)] = None,
    stack: Stack = NAME,
    region: Region = None,
    profile: Profile = None,
    yes: Yes = False,
) -> None:
    """Set how many worker instances there are at least and at most; the stack remembers it.

    Example: `cryptowatch scale --least 2 --most 8`
    """
    from cryptowatch.cli import deploy_page as page

    if least is None and most is None:
        fail("say how many: --least, --most, or both")
    with page.errors():
        page.scale(page.open_stack(stack, region, profile)[1], least, most, yes)


@app.command()
def destroy(
    stack: Annotated[str, typer.Option("--stack", help="The stack's name.")],
    region: Region = None,
    profile: Profile = None,
    confirmed: Annotated[
        str | None, typer.Option("--confirm", help="The stack's name again, in place of typing it.", metavar="NAME")
    ] = None,
) -> None:
    """Remove a stack; says what is kept, and asks for the stack's name.

    Example: `cryptowatch destroy --stack crypto-watch`
    """
    from cryptowatch.cli import deploy_page as page

    with page.errors():
        page.destroy(page.open_stack(stack, region, profile)[1], confirmed)
