"""What happens to a stack and the stacks in it, while it happens; and the first cause when it fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: Reasons that only tell of another failure.
_CONSEQUENCE = re.compile(
    r"cancelled|Embedded stack .* was not successfully|The following resource\(s\) failed|"
    r"Resource handler returned message: \"?Embedded"
)
_STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Event:
    """One step of one resource.

    Args:
        name: where it stands in the templates, like `Queues/AnalysisQueue`; the stack's own name for itself.
    """

    at: datetime
    name: str
    kind: str
    status: str
    reason: str

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


class Watcher:
    """Tells each event once, of a stack and those in it, from now on.

    Args:
        cloudformation: boto3 client.
        stack_id: the root's.
    """

    def __init__(self, cloudformation: Any, stack_id: str) -> None:
        self._cloudformation = cloudformation
        #: Stack ids, and the path of each in the templates.
        self._stacks = {stack_id: ""}
        self._seen: set[str] = set()
        self.failures: list[Event] = []
        self._since = datetime.min.replace(tzinfo=UTC)
        before = list(self.news())
        self._since = max((event.at for event in before), default=self._since)
        self.failures.clear()

    def news(self) -> Iterator[Event]:
        """What has happened since, oldest first."""
        fresh: list[Event] = []
        waiting = list(self._stacks)
        while waiting:
            stack_id = waiting.pop()
            for raw in self._unseen(stack_id):
                nested = raw.get("PhysicalResourceId", "")
                if raw["ResourceType"] == _STACK and nested.startswith("arn:") and nested not in self._stacks:
                    self._stacks[nested] = f"{self._stacks[stack_id]}{raw['LogicalResourceId']}/"
                    waiting.append(nested)
                # A stack that is met late tells of years ago, too.
                if raw["Timestamp"] >= self._since:
                    fresh.append(self._event(raw, stack_id))
        fresh.reverse()  # they come newest first, and events of one moment stay in their order
        fresh.sort(key=lambda event: event.at)
        self.failures += [event for event in fresh if event.failed]
        yield from fresh

    def _unseen(self, stack_id: str) -> list[dict[str, Any]]:
        """A stack's unseen events; they come newest first, so the first seen one ends the reading."""
        found: list[dict[str, Any]] = []
        for page in self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id):
            for raw in page["StackEvents"]:
                if raw["EventId"] in self._seen:
                    return found
                self._seen.add(raw["EventId"])
                found.append(raw)
        return found

    def _event(self, raw: dict[str, Any], stack_id: str) -> Event:
        path = self._stacks[stack_id]
        own = raw.get("PhysicalResourceId") == stack_id
        name = (path.rstrip("/") or raw["LogicalResourceId"]) if own else path + raw["LogicalResourceId"]
        reason = " ".join(raw.get("ResourceStatusReason", "").split())
        return Event(raw["Timestamp"], name, raw["ResourceType"], raw["ResourceStatus"], reason)

    def first_cause(self) -> str:
        """The oldest failure that is not the consequence of another."""
        causes = [event for event in self.failures if event.reason and not _CONSEQUENCE.search(event.reason)]
        found = min(causes or self.failures, key=lambda event: event.at, default=None)
        return f"{found.name}: {found.reason or found.status}" if found else "it was rolled back without a reason"
