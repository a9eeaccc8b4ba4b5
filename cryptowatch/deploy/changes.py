"""A CloudFormation change set in words: what is added, changed, replaced, removed, and what is lost by it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: What goes with a thing when it is replaced or removed.
_HELD = {
    "AWS::RDS::DBInstance": "all candles, watches and alerts; a last snapshot is kept",
    "AWS::SecretsManager::Secret": "the database's password",
    "AWS::SNS::Topic": "every confirmed subscription: each recipient must confirm again",
    "AWS::SQS::Queue": "the messages in it",
    "AWS::KMS::Key": "what was encrypted by it, once the key is deleted",
}
_STACK = "AWS::CloudFormation::Stack"
#: Copies of something: nothing is lost with them.
_COPIES = frozenset({"Replica"})


@dataclass(frozen=True)
class Change:
    """What becomes of one resource.

    Args:
        name: where it stands in the templates, like `Queues/AnalysisQueue`.
        kind: its type, like `AWS::SQS::Queue`.
        action: add, change, replace, perhaps replace, remove, or import.
        what: the properties that change.
        loses: what is lost; None when nothing is.
    """

    name: str
    kind: str
    action: str
    what: tuple[str, ...] = ()
    loses: str | None = None

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def change_of(resource: Mapping[str, Any], path: str = "") -> Change:
    """The change that CloudFormation's `ResourceChange` tells of; `path` is the nested stack's name with a slash."""
    name, kind = resource["LogicalResourceId"], resource["ResourceType"]
    # CloudFormation says "perhaps" of a stack in the stack; it never replaces one by itself.
    action = "change" if kind == _STACK and resource["Action"] == "Modify" else _action(resource)
    targets = [one.get("Target", {}) for one in resource.get("Details", [])]
    what = sorted({str(one.get("Name") or one.get("Attribute")) for one in targets if one})
    ends = action in ("replace", "perhaps replace", "remove") and name not in _COPIES
    return Change(path + name, kind, action, tuple(what), _HELD.get(kind) if ends else None)


def _action(resource: Mapping[str, Any]) -> str:
    match resource["Action"]:
        case "Modify":
            return {"True": "replace", "Conditional": "perhaps replace"}.get(resource.get("Replacement", ""), "change")
        case "Dynamic":
            return "change"
        case action:
            return str(action).lower()


def lossy(changes: list[Change]) -> list[Change]:
    """Those by which something is lost."""
    return [one for one in changes if one.loses]


def in_words(changes: list[Change]) -> list[str]:
    """One line a change, those that lose something first, and a line that counts them."""
    order = {"remove": 1, "replace": 2, "perhaps replace": 3, "change": 4, "add": 5, "import": 6}
    sorted_changes = sorted(changes, key=lambda one: (one.loses is None, order.get(one.action, 9), one.name))
    lines = []
    for one in sorted_changes:
        what = f": {', '.join(one.what)}" if one.what and one.action != "add" else ""
        loses = f"  LOSES {one.loses}" if one.loses else ""
        lines.append(f"{one.action:15} {one.name} ({_short(one.kind)}){what}{loses}")
    counts = [f"{sum(one.action == action for one in changes)} to {action}" for action in order]
    return [*lines, ", ".join(count for count in counts if not count.startswith("0 "))]


def _short(kind: str) -> str:
    """`AWS::SQS::Queue` as `SQS Queue`."""
    return kind.removeprefix("AWS::").replace("::", " ")
