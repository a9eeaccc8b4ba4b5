"""Reading a watch list: YAML in, checked watches out, or everything that is wrong with it.

Nothing is read from anywhere else: what the exchanges list is asked of a `MarketCatalog`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cryptowatch.watches.complaints import shown
from cryptowatch.watches.document import DocumentError, read_document
from cryptowatch.watches.estimate import requests_a_minute
from cryptowatch.watches.findings import Findings
from cryptowatch.watches.form import CheckedWatch, CheckedWatchList, RecipientForm, WatchList
from cryptowatch.watches.market_names import MarketCatalog
from cryptowatch.watches.one_watch import WatchCheck, label_of
from cryptowatch.watches.problem import Problem, WatchListError, nearest
from cryptowatch.watches.recipients import check_recipients, settings_of

__all__ = ["MarketCatalog", "Problem", "WatchListError", "read_watch_list"]

_KEYS = list(WatchList.model_fields)


def read_watch_list(
    text: str, *, file: str, catalog: MarketCatalog, warn: Callable[[Problem], object] = lambda warning: None
) -> CheckedWatchList:
    """Check a whole watch list: form, names, markets and rules; expand its stars.

    Args:
        text: the YAML text.
        file: what to call it in messages.
        catalog: what is known of the exchanges; asked only for those the list names.
        warn: told of what can be used, but is hardly meant.

    Raises:
        WatchListError: with every problem found, each with its line, its column and what to do.
    """
    try:
        findings = Findings(read_document(text), file)
    except DocumentError as error:
        raise WatchListError([Problem(file, *error.place, error.message, error.hint)]) from None
    checked = _Reading(findings, catalog).watch_list()
    if checked is None:
        raise WatchListError(findings.problems)
    for warning in findings.warnings:
        warn(warning)
    return checked


class _Reading:
    """One watch list being read; tells `findings` of every problem."""

    def __init__(self, findings: Findings, catalog: MarketCatalog) -> None:
        self._findings = findings
        self._catalog = catalog

    def watch_list(self) -> CheckedWatchList | None:
        """The checked list; None when there are problems."""
        data = self._findings.document.data
        if data is None:
            self._findings.value((), "the file is empty", "a watch list has recipients: and watches:")
            return None
        if not isinstance(data, dict):
            text = f"a watch list is a mapping with the keys recipients and watches, not {shown(data)}"
            self._findings.value((), text, "see examples/watches.yaml")
            return None
        self._repeated_keys(data)
        self._findings.unknown_keys(data, (), _KEYS, "the watch list")
        section = data.get("recipients")
        recipients: dict[str, RecipientForm] = {}
        if isinstance(section, dict) and section:
            recipients = check_recipients(section, self._findings)
        else:
            self._not_filled(data, "recipients", "add a name and an address, like me: you@example.com", dict)
            section = None
        watches = self._watches(data, section)
        if not self._findings.problems:
            self._too_much(watches)
        if self._findings.problems:
            return None
        return CheckedWatchList(
            recipients={name: form.email for name, form in recipients.items()},
            delivery=settings_of(recipients),
            watches=tuple(watches),
        )

    def _watches(self, data: Mapping[str, Any], recipients: Mapping[str, Any] | None) -> list[CheckedWatch]:
        section = data.get("watches")
        if not isinstance(section, list) or not section:
            self._not_filled(data, "watches", "add a watch, like in examples/watches.yaml", list)
            return []
        found = []
        for index, item in enumerate(section):
            path = ("watches", index)
            if not isinstance(item, dict):
                text = f"watch {index + 1} must be a mapping of keys to values, not {shown(item)}"
                self._findings.value(path, text, "begin it with - name: …")
                continue
            check = WatchCheck(item, path, recipients=recipients, catalog=self._catalog, findings=self._findings)
            checked = check.run()
            if checked is not None:
                found.append(checked)
        self._repeated_names(section)
        return found

    def _too_much(self, watches: list[CheckedWatch]) -> None:
        """No source may be asked more than it allows."""
        for source, needed in requests_a_minute(watches, self._catalog.intervals).items():
            allowed = self._catalog.requests_a_minute(source)
            if allowed is not None and needed > allowed:
                text = f"{source} would be asked {needed:,.0f} times a minute, and allows {allowed:,.0f}"
                hint = (
                    f"watch fewer markets of it, or longer intervals; {source}:top 50 */USD by volume takes the largest"
                )
                self._findings.key(("watches",), text, hint)

    def _repeated_names(self, section: list[Any]) -> None:
        first: dict[str, int] = {}
        for index, item in enumerate(section):
            name = item.get("name") if isinstance(item, dict) else None
            if not isinstance(name, str):
                continue
            path = ("watches", index, "name")
            if first.setdefault(name, index) != index:
                line = self._findings.document.place(("watches", first[name], "name")).line
                text = f"another watch is called {name!r} already, on line {line}"
                self._findings.value(path, text, "give it a name of its own")

    def _repeated_keys(self, data: Mapping[str, Any]) -> None:
        for path, place in self._findings.document.repeated:
            label = ""
            if len(path) > 2 and path[0] == "watches" and isinstance(path[1], int):
                label = f" in {label_of(data['watches'][path[1]], path)}"
            line = self._findings.document.keys[path].line
            text = f"key {path[-1]!r} is given twice{label}"
            self._findings.at(place, text, f"it is on line {line} already: keep one")

    def _not_filled(self, data: Mapping[str, Any], key: str, hint: str, kind: type) -> None:
        value = data.get(key)
        if key not in data:
            misspelt = any(name not in _KEYS and nearest(name, [key]) for name in data)
            if not misspelt:
                self._findings.value((), f"the watch list has no {key!r}", hint)
        elif value is None or isinstance(value, kind):
            self._findings.key((key,), f"{key!r} is empty", hint)
        else:
            wanted = "a list" if kind is list else "a mapping of names to addresses"
            self._findings.value((key,), f"{key!r} must be {wanted}, not {shown(value)}", hint)
