"""What a preview is of, and what it finds: a watch on some markets, its alerts, what was counted on the way."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptowatch.alerts.episode import Kind, Policy
from cryptowatch.markets.interval import interval_named
from cryptowatch.markets.loads import load_starts
from cryptowatch.studies.history import MarketHistory
from cryptowatch.watches.compiled import WatchRule, rule_of
from cryptowatch.watches.form import Watch
from cryptowatch.watches.policy import policy_of


@dataclass(frozen=True)
class Subject:
    """A watch and the markets it is previewed on, by id. Make one with `of`."""

    watch: Watch
    rule: WatchRule
    policy: Policy
    markets: frozenset[int]

    @classmethod
    def of(cls, watch: Watch, markets: Iterable[int]) -> "Subject":
        """The watch on these markets, whatever it names itself.

        Raises:
            RuleError: one of its rules cannot be understood.
        """
        return cls(watch, rule_of(watch), policy_of(watch), frozenset(markets))


@dataclass(frozen=True)
class Alert:
    """An alert as live would have written it. Times are UTC.

    Args:
        values: of the parts of the rule, by their text; None where unknown.
    """

    watch: str
    market_id: int
    interval: str
    open_time: datetime
    close_time: datetime
    kind: Kind
    price: float | None
    values: dict[str, float | None]


@dataclass
class Findings:
    """The alerts of a watch, and what was counted on the way, over all its markets.

    Args:
        alerts: in the order of time on each market.
        markets: those it was evaluated on, by id.
        moments: closed candles it was evaluated on.
        too_little_history: those of them before its rule was first known on a market.
        unknown: those after that at which it was unknown.
        perhaps_late: those that read a candle of a higher interval that was missing: live may have given up waiting.
        never_known: markets on which its rule was never known, by id.
        held: episodes that were held back, by what: `cooldown`, `once`, `period`: outside of `starts` and `expires`.
        first_known: by market id, the step at which its rule was first known.
        first_open, last_close: of the first and the last of the candles, UTC; None when there are none.
    """

    alerts: list[Alert] = field(default_factory=list)
    markets: list[int] = field(default_factory=list)
    moments: int = 0
    too_little_history: int = 0
    unknown: int = 0
    perhaps_late: int = 0
    never_known: list[int] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    first_known: dict[int, int] = field(default_factory=dict)
    first_open: datetime | None = None
    last_close: datetime | None = None

    def went(self, market_id: int, opened: datetime, closed: datetime) -> None:
        """A market was gone through, from the one to the other."""
        self.markets.append(market_id)
        self.first_open = min(opened, self.first_open or opened)
        self.last_close = max(closed, self.last_close or closed)


def begun_at(
    markets: Mapping[int, MarketHistory], subjects: Sequence[Subject], start: datetime | None
) -> dict[int, MarketHistory]:
    """The candles that a system has that applied these watches at `start`: from where their first loads begin.

    All watches of a list count, since they share what is stored, whichever of them is previewed. With `start` None
    everything that there is.
    """
    if start is None:
        return dict(markets)
    wanted: dict[tuple[int, str], int] = {}
    for subject in subjects:
        grid = subject.watch.grid
        for name, first in load_starts(subject.rule.look_back, grid, grid.step_at(start)).items():
            for id_ in subject.markets:
                wanted[id_, name] = min(first, wanted.get((id_, name), first))
    return {id_: _wanted_only(id_, market, wanted) for id_, market in markets.items()}


def _wanted_only(id_: int, market: MarketHistory, wanted: Mapping[tuple[int, str], int]) -> MarketHistory:
    candles = {
        name: market.since(interval_named(name), wanted[id_, name]) for name in market.candles if (id_, name) in wanted
    }
    return MarketHistory(candles, market.end)


def span_of(subject: Subject, market: MarketHistory, start: datetime | None) -> tuple[int, int]:
    """The first and the last step at which a watch is evaluated on a market; nothing when the last is before the first.

    It begins with the candle that is open at `start`, as if applied then, or with the market's first one, and ends
    with its last one: whether a market was quiet after that, or not recorded, nobody knows.
    """
    grid = subject.watch.grid
    first, last = market.first_step(grid), market.last_step(grid)
    if first is None or last is None:
        return 0, -1
    return (first if start is None else max(first, grid.step_at(start))), last


def moments_of(subjects: Sequence[Subject], markets: Mapping[int, MarketHistory], start: datetime | None) -> int:
    """How many moments `evaluate` has to go through."""
    spans = (
        span_of(subject, market, start)
        for subject in subjects
        for id_, market in markets.items()
        if id_ in subject.markets
    )
    return sum(last - first + 1 for first, last in spans)
