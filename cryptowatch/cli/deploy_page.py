"""What the commands on a stack in the cloud ask and print."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import typer

from cryptowatch.cli import show
from cryptowatch.cli.options import fail
from cryptowatch.deploy.account import AWS_ERRORS, Account, AccountError, one_line
from cryptowatch.deploy.bundle import BundleTooLargeError
from cryptowatch.deploy.certificates import CertificatesError
from cryptowatch.deploy.changes import in_words, lossy
from cryptowatch.deploy.deploying import Deploy, kept, read_settings
from cryptowatch.deploy.deploying import scale as prepare_scale
from cryptowatch.deploy.doctor import diagnose as examine
from cryptowatch.deploy.events import Event
from cryptowatch.deploy.logs import Follower, log_groups
from cryptowatch.deploy.logs import in_words as line_in_words
from cryptowatch.deploy.parameters import ParameterError
from cryptowatch.deploy.preflight import Finding
from cryptowatch.deploy.stack import POLL_S, ChangeSet, Stack, StackError
from cryptowatch.deploy.upload import Uploaded
from cryptowatch.deploy.wheels import WheelsError

_KNOWN = (AccountError, BundleTooLargeError, CertificatesError, ParameterError, StackError, WheelsError)
_STYLES = {"ok": "dim", "warning": "yellow", "failed": "red"}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@contextmanager
def errors() -> Iterator[None]:
    """Ends the command with one line when it cannot go on."""
    try:
        yield
    except _KNOWN as error:
        fail(str(error))
    except AWS_ERRORS as error:
        fail(f"AWS: {one_line(error)}")


def open_stack(name: str, region: str | None, profile: str | None) -> tuple[Account, Stack]:
    account = Account(profile, region)
    return account, Stack(account, name, POLL_S)


def open_deploy(name: str, region: str | None, profile: str | None, settings: list[str]) -> Deploy:
    template, checked = read_settings(settings)
    account, stack = open_stack(name, region, profile)
    return Deploy(account, stack, template, checked)


def findings(found: list[Finding]) -> None:
    for finding in found:
        show.out.print(f"{finding.level:8} {finding.text}", style=_STYLES[finding.level])


def check(deploy: Deploy) -> None:
    """Show the preflight; ends the command when it fails."""
    found = list(deploy.check())
    findings(found)
    if any(finding.level == "failed" for finding in found):
        fail("nothing was made: mend what failed, then deploy again")


def prepare(deploy: Deploy, certificates: Path | None) -> tuple[Uploaded, ChangeSet | None]:
    """Build, upload, and ask CloudFormation what would change."""
    show.out.print("building the functions' bundle ...")
    bundle = deploy.build(certificates)
    show.out.print(f"the bundle {bundle.key} has {len(bundle.data) / 1e6:.1f} MB")
    if not bundle.compiled:
        show.out.print("no Python of Lambda's version is here, so a cold start takes 0.7 s longer", style="yellow")
    uploaded = deploy.upload(bundle)
    show.out.print(f"uploaded to the bucket {uploaded.parameters['CodeBucket']}; asking what would change ...")
    change_set = deploy.prepare(uploaded)
    if change_set is None:
        show.out.print(f"the stack {deploy.stack.name} is as it should be: nothing to change")
    return uploaded, change_set


def confirm(stack: Stack, change_set: ChangeSet, yes: bool) -> None:
    """Show the change and go on only when the user wants it."""
    losses = lossy(change_set.changes)
    for line in in_words(change_set.changes):
        show.out.print(line, style="bold red" if "LOSES" in line else None)
    if not change_set.whole:
        show.out.print(
            "CloudFormation could not look into the nested stacks: what is lost in them is not known", style="bold red"
        )
    if yes and change_set.whole and not losses:
        return
    if yes:
        stack.discard(change_set)
        names = ", ".join(one.name for one in losses) or "perhaps, in a nested stack"
        fail(f"--yes does not cover what loses data ({names}): deploy without it and read")
    doing = "make" if change_set.new else "change"
    try:
        agreed = typer.confirm(f"{doing} the stack {stack.name}?")
    except typer.Abort:
        agreed = False
    if not agreed:
        stack.discard(change_set)
        fail("nothing was changed")


def execute(stack: Stack, change_set: ChangeSet) -> None:
    stack.execute(change_set, _progress())
    show.out.print(f"the stack {stack.name} is deployed")


def _progress() -> Callable[[Event], None]:
    """Prints what happens; CloudFormation says twice that something has begun."""
    begun: set[str] = set()

    def told(event: Event) -> None:
        begins = event.status.endswith("_IN_PROGRESS")
        if begins and f"{event.name} {event.status}" in begun:
            return
        begun.add(f"{event.name} {event.status}")
        reason = f"  {event.reason}" if event.failed else ""
        style = "red" if event.failed else "dim" if begins else None
        show.out.print(f"{event.at:%H:%M:%S} {event.status.lower():28} {event.name}{reason}", style=style)

    return told


def migrated(result: Mapping[str, Any]) -> None:
    done = f", applied {', '.join(map(str, result['applied']))}" if result["applied"] else ""
    show.out.print(f"the database has schema version {result['schema_version']}{done}")


def applied(report: dict[str, Any]) -> None:
    show.changes({**report, "estimates": []})  # nothing is stored yet that one could be made from


def diagnose(account: Account, stack: Stack, status: Mapping[str, Any]) -> list[Finding]:
    return list(examine(account, stack, status))


def logs(
    opened: tuple[Account, Stack], who: str | None, follow: bool, since: str, pattern: str | None, as_json: bool
) -> None:
    account, stack = opened
    stack.there()
    follower = Follower(account, log_groups(stack, who), _seconds(since), pattern)
    with suppress(KeyboardInterrupt):
        for line in follower.follow() if follow else follower.news():
            typer.echo(json.dumps(line) if as_json else line_in_words(line))


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found:
        fail(f"--since {text}: write it like 30s, 10m, 2h, 1d")
    return int(found[1]) * _UNITS[found[2]]


def scale(stack: Stack, least: int | None, most: int | None, yes: bool) -> None:
    change_set = prepare_scale(stack, least, most)
    if change_set is None:
        show.out.print("nothing to change")
        return
    confirm(stack, change_set, yes)
    execute(stack, change_set)


def destroy(stack: Stack, confirmed: str | None) -> None:
    for line in kept(stack):
        show.out.print(line)
    if confirmed is None:
        with suppress(typer.Abort):
            confirmed = typer.prompt(f"type the stack's name to remove it ({stack.name})")
    if confirmed != stack.name:
        fail("nothing was removed: that is not the stack's name")
    stack.delete(_progress())
    show.out.print(f"the stack {stack.name} is gone")
