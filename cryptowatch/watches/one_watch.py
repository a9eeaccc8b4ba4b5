"""Checking one watch of a list: its form, whom it notifies, its markets, its rules."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from cryptowatch.markets.building import part_for
from cryptowatch.markets.candle import Market
from cryptowatch.markets.interval import INTERVALS, Interval
from cryptowatch.rules import Rule, RuleError, RuleWarning, compile_rule, excerpt
from cryptowatch.rules.let import Let, check_let, used_names
from cryptowatch.watches.compiled import joined_look_back
from cryptowatch.watches.complaints import complaint, shown, tell_inside
from cryptowatch.watches.delivery import QuietHoursForm
from cryptowatch.watches.document import Path
from cryptowatch.watches.findings import Findings
from cryptowatch.watches.form import CheckedWatch, Selection, Watch
from cryptowatch.watches.market_names import MarketCatalog, MarketNameError, excluded, expand
from cryptowatch.watches.problem import Problem, did_you_mean, nearest
from cryptowatch.watches.values import STAR

#: What a recipient, or a tag, may be called.
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
#: Lists of names -> what each item must be a name for.
_NAMES = {"notify": "a recipient", "tags": "a tag"}
#: Keys that hold a rule -> what messages call it.
_RULES = {"when": "the rule", "until": "'until'"}
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
        let = self._let(grid or _SHORTEST)
        rules = {key: rule for key in _RULES if let is not None and (rule := self._rule(key, grid or _SHORTEST, let))}
        if grid is not None:
            self._interval(grid, markets)
        self._same_rules(rules)
        if watch is None or len(self._findings.problems) > before:
            return None
        expanded = watch.model_copy(update={"markets": tuple(markets), "exclude": ()})
        starred = any(STAR in name for name in watch.markets)
        return CheckedWatch(
            watch=expanded,
            look_back=joined_look_back(rule.look_back for rule in rules.values()),
            selection=Selection(markets=watch.markets, exclude=watch.exclude) if starred else None,
        )

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
        if error["type"] == "missing" and len(error["loc"]) == 1:
            if key not in empty:
                self._findings.value(self._path, f"{self._label} has no {key!r}", _MISSING[key])
            return
        if key in ("markets", "exclude") and inside and isinstance(error["input"], str):
            return  # names of markets are judged in `_markets`
        self._bad.add(key)
        if key == "let" and error["loc"][-1] == "[key]":
            text = f"{error['loc'][1]!r} of 'let' of {self._label} is not a name"
            self._findings.key((*self._path, *error["loc"][:-1]), text, "letters, digits and _, at most 31")
            return
        if key in ("quiet_hours", "let"):
            tell_inside(self._findings, self._path, self._label, error, {("quiet_hours",): QuietHoursForm})
            return
        what = f"{key!r} of {self._label}"
        if inside:
            what = f"item {inside[0] + 1} of {what}"
        said, hint = complaint(error)
        if key in _NAMES and error["type"] == "string_pattern_mismatch":
            said, hint = f"is not a name for {_NAMES[key]}: {shown(error['input'])}", NAME_HINT
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
        """What the names stand for, each once, without what is to be excluded."""
        found: list[str] = []
        before = len(self._findings.problems)
        for index, name in enumerate(self._good("markets") or ()):
            try:
                found += expand(name, self._catalog)
            except MarketNameError as error:
                self._market_problem("markets", index, error)
        markets = list(dict.fromkeys(found))
        out: set[str] = set()
        for index, name in enumerate(self._good("exclude") or ()):
            try:
                gone = excluded(name, markets)
            except MarketNameError as error:
                self._market_problem("exclude", index, error)
                continue
            if not gone:
                self._excludes_nothing(index, name, markets)
            out |= gone
        left = [market for market in markets if market not in out]
        if markets and not left and len(self._findings.problems) == before:
            text = f"'exclude' of {self._label} leaves none of its {len(markets)} markets"
            self._findings.value((*self._path, "exclude"), text, "exclude fewer")
        return left

    def _market_problem(self, key: str, index: int, error: MarketNameError) -> None:
        self._findings.value((*self._path, key, index), f"{error.message}, in {self._label}", error.hint)

    def _excludes_nothing(self, index: int, name: str, markets: list[str]) -> None:
        near = nearest(name, markets)
        hint = f"did you mean {near!r}?" if near else "remove it"
        text = f"{name!r} excludes none of the markets of {self._label}"
        self._findings.warn((*self._path, "exclude", index), text, hint)

    def _let(self, grid: Interval) -> Let | None:
        """The names for parts of the rules; None when one of them is wrong."""
        let: Let = ()
        for name, text in (self._good("let") or {}).items():
            let = (*let, (name, text))
            try:
                check_let(let, grid)
            except RuleError as error:
                what = f"{name!r} of 'let' of {self._label}"
                self._findings.problems.append(self._about_rule(("let", name), what, text, error))
                return None
        self._unused(let)
        return let

    def _unused(self, let: Let) -> None:
        texts = [text for key in _RULES if isinstance(text := self._good(key), str)]
        try:
            used = used_names(texts, let)
        except RuleError:
            return  # told of where it is checked
        for name, _ in let:
            if name not in used:
                text = f"no rule of {self._label} uses {name!r} of its 'let'"
                self._findings.warn((*self._path, "let", name), text, "remove it")

    def _rule(self, key: str, grid: Interval, let: Let) -> Rule | None:
        text = self._good(key)
        if text is None:
            return None
        what = f"{_RULES[key]} of {self._label}"
        try:
            rule = compile_rule(text, grid, let)
        except RuleError as error:
            self._findings.problems.append(self._about_rule((key,), what, text, error))
            return None
        self._findings.warnings += [self._about_rule((key,), what, text, warning) for warning in rule.warnings]
        return rule

    def _about_rule(self, key: Path, what: str, text: str, said: RuleError | RuleWarning) -> Problem:
        place = self._findings.place_in_text((*self._path, *key), said.offset)
        message = f"{what}: {said.message}"
        return Problem(self._findings.file, *place, message, said.hint, excerpt(text, said.offset))

    def _same_rules(self, rules: Mapping[str, Rule]) -> None:
        when, until = rules.get("when"), rules.get("until")
        if when and until and when.condition == until.condition:
            text = f"'until' of {self._label} is the same as its rule: it fires on every candle that it is true"
            self._findings.warn((*self._path, "until"), text, "say what ends it, like rsi(14) > 50 after rsi(14) < 30")

    def _interval(self, grid: Interval, markets: list[str]) -> None:
        """The exchanges must have candles of it, or shorter ones to build it from; then every longer one can be had."""
        for source in sorted({Market.parse(name).source for name in markets}):
            served = self._catalog.intervals(source)
            if served is None or grid.name in served or part_for(grid, served):
                continue
            known = ", ".join(one for one in INTERVALS if one in served)
            text = f"{source} has no {grid} candles, which {self._label} reads, nor shorter ones to build them from"
            self._findings.value((*self._path, "interval"), text, f"it has {known}")
