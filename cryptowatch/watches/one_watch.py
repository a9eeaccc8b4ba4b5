"""Checking one watch of a list: its form, whom it notifies, its markets, its rule."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.rules import Rule, RuleError, RuleWarning, compile_rule, excerpt
from cryptowatch.watches.complaints import complaint, shown
from cryptowatch.watches.document import Path
from cryptowatch.watches.findings import Findings
from cryptowatch.watches.form import CheckedWatch, Watch
from cryptowatch.watches.market_names import MarketCatalog, MarketNameError, expand
from cryptowatch.watches.problem import Problem, did_you_mean

#: What a recipient may be called.
NAME_HINT = "letters, digits, _, . and -, at most 64"

_KEYS = [field.alias or name for name, field in Watch.model_fields.items()]
#: What to add for a key that must be there.
_MISSING = {
    "name": "add one, like name: BTC oversold",
    "markets": "add some, like markets: [kraken:BTC/USD]",
    "interval": "add one, like interval: 1h",
    "when": "add a rule, like when: rsi(14) < 30",
    "notify": "add the names of recipients, like notify: [me]",
}
#: Where a rule is checked whose watch has no usable interval: every other interval is a higher one.
_SHORTEST = min(INTERVALS.values())


def label_of(item: object, path: Path) -> str:
    """What to call the watch at `path` in messages: by its name, or by its number."""
    name = item.get("name") if isinstance(item, dict) else None
    return f"watch {name!r}" if isinstance(name, str) and name else f"watch {int(path[1]) + 1}"


class WatchCheck:
    """Checks one watch and tells `findings` of every problem.

    Args:
        item: the watch as data.
        path: where it is in the document.
        recipients: the names it may notify; None when they are not known.
    """

    def __init__(
        self,
        item: dict[str, Any],
        path: Path,
        *,
        recipients: Mapping[str, Any] | None,
        catalog: MarketCatalog,
        findings: Findings,
    ) -> None:
        self._item = item
        self._path = path
        self._label = label_of(item, path)
        self._recipients = recipients
        self._catalog = catalog
        self._findings = findings
        self._bad: set[str] = set()

    def run(self) -> CheckedWatch | None:
        """The watch with its stars expanded; None when there are problems."""
        before = len(self._findings.problems)
        self._findings.unknown_keys(self._item, self._path, _KEYS, self._label)
        watch = self._form()
        grid = INTERVALS.get(str(self._item.get("interval")))
        self._notified()
        markets = self._markets()
        rule = self._rule(grid or _SHORTEST)
        if rule is not None and grid is not None:
            self._intervals(rule, grid, markets)
        if watch is None or rule is None or len(self._findings.problems) > before:
            return None
        expanded = watch.model_copy(update={"markets": tuple(dict.fromkeys(markets))})
        return CheckedWatch(watch=expanded, look_back=rule.look_back)

    def _form(self) -> Watch | None:
        """The watch, if its form is right; the keys that are not are remembered as bad."""
        empty = [key for key in _KEYS if key in self._item and self._item[key] is None]
        for key in empty:
            text = f"{key!r} of {self._label} has no value"
            self._findings.key((*self._path, key), text, "add one or remove the line")
        self._bad.update(empty)
        try:
            return Watch.model_validate({key: self._item[key] for key in _KEYS if self._item.get(key) is not None})
        except ValidationError as error:
            for one in error.errors():
                self._form_problem(one, empty)
        return None

    def _form_problem(self, error: Mapping[str, Any], empty: list[str]) -> None:
        key = str(error["loc"][0])
        inside = [part for part in error["loc"][1:] if isinstance(part, int)]
        if error["type"] == "missing":
            if key not in empty:
                self._findings.value(self._path, f"{self._label} has no {key!r}", _MISSING[key])
            return
        if key == "markets" and inside and isinstance(error["input"], str):
            return  # names of markets are judged with the catalogue
        self._bad.add(key)
        what = f"{key!r} of {self._label}"
        if inside:
            what = f"item {inside[0] + 1} of {what}"
        said, hint = complaint(error)
        if key == "notify" and error["type"] == "string_pattern_mismatch":
            said, hint = f"is not a name for a recipient: {shown(error['input'])}", NAME_HINT
        self._findings.value((*self._path, key, *inside), f"{what} {said}", hint)

    def _good(self, key: str) -> Any:
        """The value of a key that has the right form; None when it has not."""
        return None if key in self._bad else self._item.get(key)

    def _notified(self) -> None:
        if self._recipients is None:
            return
        for index, name in enumerate(self._good("notify") or ()):
            if name not in self._recipients:
                text = f"unknown recipient {name!r} in {self._label}"
                hint = did_you_mean(name, list(self._recipients))
                self._findings.value((*self._path, "notify", index), text, hint)

    def _markets(self) -> list[str]:
        found = []
        for index, name in enumerate(self._good("markets") or ()):
            try:
                found += expand(name, self._catalog)
            except MarketNameError as error:
                text = f"{error.message}, in {self._label}"
                self._findings.value((*self._path, "markets", index), text, error.hint)
        return found

    def _rule(self, grid: Interval) -> Rule | None:
        text = self._good("when")
        if text is None:
            return None
        try:
            rule = compile_rule(text, grid)
        except RuleError as error:
            self._findings.problems.append(self._about_rule(text, error))
            return None
        self._findings.warnings += [self._about_rule(text, warning) for warning in rule.warnings]
        return rule

    def _about_rule(self, text: str, said: RuleError | RuleWarning) -> Problem:
        place = self._findings.place_in_text((*self._path, "when"), said.offset)
        message = f"the rule of {self._label}: {said.message}"
        return Problem(self._findings.file, *place, message, said.hint, excerpt(text, said.offset))

    def _intervals(self, rule: Rule, grid: Interval, markets: list[str]) -> None:
        """Every interval the rule reads must be one that the exchanges have candles of."""
        for source in sorted({Market.parse(name).source for name in markets}):
            served = self._catalog.intervals(source)
            if served is None:
                continue
            for name in rule.look_back:
                if name in served:
                    continue
                place = self._findings.document.place((*self._path, "interval"))
                if name != grid.name:
                    place = self._findings.place_in_text((*self._path, "when"), _quoted(name, rule.text))
                known = ", ".join(one for one in INTERVALS if one in served)
                text = f"{source} has no {name} candles, which {self._label} reads"
                self._findings.at(place, text, f"it has {known}")


def _quoted(name: str, rule: str) -> int:
    """Where the rule names the interval."""
    return max(0, rule.find(f'"{name}"'), rule.find(f"'{name}'"))
