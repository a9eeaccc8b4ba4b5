"""When a rule's truth becomes an alert: the state of one watch on one market, moved candle by candle.

A rule fires when it has been true for `for` closed candles in a row, after it has been known to be false: a rule
that is true at its first known candle waits until it has been false. It fires once an episode; an episode ends at
the next candle at which the rule is false. Unknown is neither: it breaks a row of true candles, and neither fires,
ends an episode nor re-arms.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

Kind = Literal["fired", "repeated", "resolved"]

TRUE, FALSE, UNKNOWN = 1, 0, -1


@dataclass(frozen=True)
class Policy:
    """What of a watch decides about alerts.

    Args:
        for_: closed candles in a row for which the rule must be true.
        cooldown: how long after an alert the market is quiet, on candle time.
        resolved: whether the end of an episode is told too.
    """

    for_: int = 1
    cooldown: timedelta = timedelta(0)
    resolved: bool = False


@dataclass(frozen=True)
class Episode:
    """Where a watch stands on a market.

    Args:
        armed: the rule has been false since it last fired (or since the start).
        run: true candles in a row.
        active: an alert told of the episode that is going on.
        last_fired: close time of the candle it last fired on.
        cooled: signals the cooldown has held back so far.
    """

    armed: bool = False
    run: int = 0
    active: bool = False
    last_fired: datetime | None = None
    cooled: int = 0

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["last_fired"] = self.last_fired.isoformat() if self.last_fired else None
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Episode":
        fired = data.get("last_fired")
        return cls(**{**data, "last_fired": datetime.fromisoformat(fired) if fired else None})


def advance(episode: Episode, truth: int, close_time: datetime, policy: Policy) -> tuple[Episode, Kind | None]:
    """The state after one more closed candle, and what there is to tell of it.

    Args:
        truth: 1 true, 0 false, -1 unknown.
        close_time: of the candle, UTC.
    """
    if truth == UNKNOWN:
        return replace(episode, run=0), None
    if truth == FALSE:
        ended: Kind | None = "resolved" if episode.active and policy.resolved else None
        return replace(episode, armed=True, run=0, active=False), ended
    run = episode.run + 1
    if not episode.armed or run < policy.for_:
        return replace(episode, run=run), None
    if episode.last_fired and close_time - episode.last_fired < policy.cooldown:
        return replace(episode, run=run, armed=False, cooled=episode.cooled + 1), None
    return replace(episode, run=run, armed=False, active=True, last_fired=close_time), "fired"
