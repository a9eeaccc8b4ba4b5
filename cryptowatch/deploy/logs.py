"""What the functions and the workers of a stack log."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cryptowatch.deploy.account import Clients
from cryptowatch.deploy.stack import Stack, StackError

#: Seconds between two looks.
POLL_S = 2.0
#: Keys of a log line that are said otherwise, or of no use to a reader.
_KNOWN = frozenset({"timestamp", "level", "location", "message", "service", "xray_trace_id", "function_name"})
_NOISE = re.compile(r"^cold_start$|^function_")


def log_groups(stack: Stack, wanted: str | None = None) -> dict[str, str]:
    """Log groups by what logs there: dispatch, ingest, sweep, notify, control, worker.

    Args:
        wanted: only this one.

    Raises:
        StackError: there is none of that name.
    """
    found = {
        place.rsplit("/", 1)[-1].removesuffix("Log").lower(): physical
        for place, kind, physical in stack.resources()
        if kind == "AWS::Logs::LogGroup"
    }
    if wanted is None:
        return found
    if wanted not in found:
        raise StackError(f"nothing called {wanted!r} logs in {stack.name}: one of {', '.join(sorted(found))}")
    return {wanted: found[wanted]}


class Follower:
    """Gives each line once, oldest first.

    Args:
        groups: log groups by name.
        since_s: seconds back from now to begin.
        pattern: CloudWatch Logs' filter pattern; all lines when left out.
    """

    def __init__(self, clients: Clients, groups: Mapping[str, str], since_s: float, pattern: str | None = None) -> None:
        self._client = clients.client("logs")
        self._groups = groups
        self._pattern = {"filterPattern": pattern} if pattern else {}
        begin = int((time.time() - since_s) * 1000)
        self._from = dict.fromkeys(groups, begin)
        self._seen: dict[str, set[tuple[int, str, str]]] = {name: set() for name in groups}

    def news(self) -> list[dict[str, Any]]:
        """Lines that have come since."""
        fresh = [line for name in self._groups for line in self._of(name)]
        return sorted(fresh, key=lambda line: int(line["timestamp"]))

    def follow(self) -> Iterator[dict[str, Any]]:
        """Lines, for ever."""
        while True:
            yield from self.news()
            time.sleep(POLL_S)

    def _of(self, name: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=self._groups[name], startTime=self._from[name], **self._pattern
        )
        seen = self._seen[name]
        for event in (event for page in pages for event in page["events"]):
            one = (event["timestamp"], event["logStreamName"], event["message"])
            if one in seen:
                continue
            seen.add(one)
            # Lines of one moment come in any order: the next look begins there again, and knows those it has.
            self._from[name] = max(self._from[name], event["timestamp"] - 10_000)
            yield {"timestamp": event["timestamp"], "from": name, "text": event["message"].rstrip()}


def in_words(line: Mapping[str, Any]) -> str:
    """A line for a reader: time, who, and of a JSON log its level, message and fields."""
    at = time.strftime("%m-%d %H:%M:%S", time.gmtime(line["timestamp"] / 1000))
    return f"{at} {line['from']:8} {_short(line['text'])}"


def _short(text: str) -> str:
    try:
        data = json.loads(text)
    except ValueError:
        return text
    if not isinstance(data, dict) or "message" not in data:
        return text
    fields = {key: value for key, value in data.items() if key not in _KNOWN and not _NOISE.match(key)}
    said = " ".join(
        f"{key}={json.dumps(value) if isinstance(value, dict | list) else value}" for key, value in fields.items()
    )
    return f"{data.get('level', ''):7} {data['message']}" + (f"  {said}" if said else "")
