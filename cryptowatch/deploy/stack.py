"""A CloudFormation stack: what it is, how it will change, changing it, removing it."""

import time
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from cryptowatch.deploy.account import Clients, one_line
from cryptowatch.deploy.changes import Change, change_of
from cryptowatch.deploy.events import Event, Watcher

#: Seconds between two looks at CloudFormation.
POLL_S = 2.0
#: Seconds a change set may take to be made; one with nested stacks takes minutes.
CHANGE_SET_PATIENCE_S = 900.0
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NOTHING_CHANGES = ("didn't contain changes", "No updates are to be performed")
_STACK = "AWS::CloudFormation::Stack"
#: States of a stack that takes no change any more: it can only be removed.
ONLY_REMOVED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"})


class StackError(RuntimeError):
    """The stack is not there, cannot be changed as it stands, or its change failed; one line."""


class ChangeRefusedError(StackError):
    """CloudFormation makes no change set of it."""


class Stack:
    """One root stack by its name.

    Args:
        clients: of the account and region it is in.
        poll_s: seconds between two looks.
    """

    def __init__(self, clients: Clients, name: str, poll_s: float = POLL_S) -> None:
        self.name = name
        self._cloudformation = clients.client("cloudformation")
        self._poll_s = poll_s

    def describe(self) -> dict[str, Any] | None:
        """What CloudFormation says of it; None when there is none."""
        try:
            return dict(self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def there(self) -> dict[str, Any]:
        """As `describe`.

        Raises:
            StackError: there is none.
        """
        found = self.describe()
        if found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS":
            where = self._cloudformation.meta.region_name
            raise StackError(f"there is no stack {self.name!r} in {where}")
        return found

    def outputs(self) -> dict[str, str]:
        """What it made, by the names of its outputs."""
        return {one["OutputKey"]: one["OutputValue"] for one in self.there().get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """What it was made with."""
        return {one["ParameterKey"]: one["ParameterValue"] for one in self.there().get("Parameters", [])}

    def resources(self) -> Iterator[tuple[str, str, str]]:
        """Place in the templates, type and physical id of each, those of nested stacks too."""
        yield from self._resources(self.name, "")

    def _resources(self, stack: str, path: str) -> Iterator[tuple[str, str, str]]:
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for one in (one for page in pages for one in page["StackResourceSummaries"]):
            if one.get("ResourceStatus") == "DELETE_COMPLETE":  # listed still after a rollback
                continue
            physical, place = one.get("PhysicalResourceId", ""), path + one["LogicalResourceId"]
            yield place, one["ResourceType"], physical
            if one["ResourceType"] == _STACK and physical:
                yield from self._resources(physical, f"{place}/")

    def prepare(
        self, parameters: Mapping[str, str], template_url: str | None = None, known: Container[str] | None = None
    ) -> "ChangeSet | None":
        """Make a change set; None when nothing would change.

        Args:
            parameters: those that are set; others keep their value, or have the template's default.
            template_url: the new root template; the one it has when left out.
            known: the new template's parameters; all that the stack has when left out.

        Raises:
            StackError: it cannot be changed as it stands, or not like that.
        """
        found = self.describe()
        status = found["StackStatus"] if found else None
        _refuse(self.name, status)
        new = status in (None, "REVIEW_IN_PROGRESS")
        given: list[dict[str, Any]] = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ]
        kept = [] if new or not found else [one["ParameterKey"] for one in found.get("Parameters", [])]
        kept = [key for key in kept if key not in parameters and (known is None or key in known)]
        given += [{"ParameterKey": key, "UsePreviousValue": True} for key in kept]
        template: dict[str, Any] = {"TemplateURL": template_url} if template_url else {"UsePreviousTemplate": True}
        asked = {"ChangeSetType": "CREATE" if new else "UPDATE", "Parameters": given, **template}
        try:
            return self._change_set(asked, nested=True)
        except ChangeRefusedError:
            # A nested stack may be given what another one has still to make; CloudFormation then cannot look into it,
            # and makes no change set at all.
            return self._change_set(asked, nested=False)

    def _change_set(self, asked: Mapping[str, Any], *, nested: bool) -> "ChangeSet | None":
        new = asked["ChangeSetType"] == "CREATE"
        try:
            made = self._cloudformation.create_change_set(
                StackName=self.name, ChangeSetName=f"cryptowatch-{time.time_ns()}", Capabilities=_CAPABILITIES,
                IncludeNestedStacks=nested, **asked,
            )  # fmt: skip
        except ClientError as error:
            raise ChangeRefusedError(f"CloudFormation refuses the change: {one_line(error)}") from error
        change_set = ChangeSet(made["Id"], made["StackId"], new, nested or new or "TemplateURL" not in asked)
        try:
            changes = self._wait_for(change_set)
        except ChangeRefusedError:
            self._forget(change_set) if nested else self.discard(change_set)
            raise
        if changes is None:
            self.discard(change_set)
            return None
        change_set.changes = changes
        return change_set

    def _wait_for(self, change_set: "ChangeSet") -> list[Change] | None:
        deadline = time.monotonic() + CHANGE_SET_PATIENCE_S
        while time.monotonic() < deadline:
            told = self._cloudformation.describe_change_set(ChangeSetName=change_set.id, StackName=change_set.stack_id)
            if told["Status"] == "CREATE_COMPLETE":
                return self._changes(change_set.id, "")
            if told["Status"] == "FAILED":
                reason = told.get("StatusReason", "no reason given")
                if any(text in reason for text in _NOTHING_CHANGES):
                    return None
                raise ChangeRefusedError(f"CloudFormation refuses the change: {one_line(reason)}")
            time.sleep(self._poll_s)
        raise StackError(f"the change set of {self.name} is not there after {CHANGE_SET_PATIENCE_S:g} s")

    def _changes(self, change_set_id: str, path: str) -> list[Change]:
        """All changes; of a nested stack those in it, where CloudFormation looked into it."""
        found = []
        for page in self._cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set_id):
            for resource in (one["ResourceChange"] for one in page.get("Changes", []) if "ResourceChange" in one):
                nested = resource.get("ChangeSetId") if resource["ResourceType"] == _STACK else None
                if nested is None or resource["Action"] != "Modify":
                    found.append(change_of(resource, path))
                if nested:
                    found += self._changes(nested, f"{path}{resource['LogicalResourceId']}/")
        return found

    def discard(self, change_set: "ChangeSet") -> None:
        """Forget a change set, and the empty stack that it began."""
        if change_set.new:
            self._cloudformation.delete_stack(StackName=change_set.stack_id)
        else:
            self._forget(change_set)

    def _forget(self, change_set: "ChangeSet") -> None:
        self._cloudformation.delete_change_set(ChangeSetName=change_set.id, StackName=change_set.stack_id)

    def execute(self, change_set: "ChangeSet", progress: Callable[[Event], None]) -> None:
        """Do it and return when it is done.

        Raises:
            StackError: it failed; the first cause.
        """
        watcher = Watcher(self._cloudformation, change_set.stack_id)
        self._cloudformation.execute_change_set(ChangeSetName=change_set.id, StackName=change_set.stack_id)
        status = self._follow(watcher, change_set.stack_id, progress)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise StackError(f"the stack {self.name} is {status}: {watcher.first_cause()}")

    def delete(self, progress: Callable[[Event], None]) -> None:
        """Remove it and return when it is gone.

        Raises:
            StackError: something of it could not be removed; the first cause.
        """
        stack_id = self.there()["StackId"]
        watcher = Watcher(self._cloudformation, stack_id)
        self._cloudformation.delete_stack(StackName=stack_id)
        if self._follow(watcher, stack_id, progress) != "DELETE_COMPLETE":
            raise StackError(f"the stack {self.name} could not be removed: {watcher.first_cause()}")

    def _follow(self, watcher: Watcher, stack_id: str, progress: Callable[[Event], None]) -> str:
        """Tell what happens until nothing more does; gives the last status."""
        while True:
            for event in watcher.news():
                progress(event)
            status = str(self._cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])
            # After an update the old resources are still cleaned up, by a stack that works already.
            if not status.endswith("_IN_PROGRESS"):
                for event in watcher.news():
                    progress(event)
                return status
            time.sleep(self._poll_s)


class ChangeSet:
    """A change that CloudFormation is ready to make.

    Args:
        new: it makes the stack.
        whole: all that can be lost by it stands in it; not so where nested stacks get new templates unseen.
    """

    def __init__(self, id_: str, stack_id: str, new: bool, whole: bool = True) -> None:
        self.id = id_
        self.stack_id = stack_id
        self.new = new
        self.whole = whole
        self.changes: list[Change] = []


def _refuse(name: str, status: str | None) -> None:
    """Say what to do about a stack that takes no change."""
    match status:
        case str() if status in ONLY_REMOVED:
            raise StackError(f"the stack {name} is {status}: remove it first with `cryptowatch destroy --stack {name}`")
        case "UPDATE_ROLLBACK_FAILED":
            raise StackError(
                f"the stack {name} is {status}: mend what could not be rolled back, then "
                f"`aws cloudformation continue-update-rollback --stack-name {name}`"
            )
        case str() if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise StackError(f"the stack {name} is {status}: somebody changes it; wait until that is done")
