"""When a rule's truth becomes an alert: the state of one watch on one market, moved candle by candle.

An episode begins when the watch is armed and its rule has been true for `for` closed candles in a row. It is told
(`fired`), unless something holds it back: the cooldown, `once`, or a candle outside [`starts`, `expires`). It ends at
the next candle at which its end is known to be true: `until` where the watch has one, else that the rule is false.
The end arms the watch again; only an episode that was told is told to be over. So there is one `fired` an episode.

At first the watch is not armed: a rule that is true at its first known candle waits until it has been false.
Unknown is neither true nor false: an unknown rule breaks a row of true candles and tells nothing, and an unknown
end ends nothing. On one candle the end comes before the beginning, so one may resolve an episode and fire the next.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

Kind = Literal["fired", "repeated", "resolved"]

TRUE, FALSE, UNKNOWN = 1, 0, -1

_TIMES = ("last_fired", "last_repeated")


@dataclass(frozen=True)
class Policy:
    """What of a watch decides about alerts; all of it on candle time. `policy_of` makes it from a watch.

    Args:
        for_: closed candles in a row for which the rule must be true.
        cooldown: how long after an alert no other episode is told; repeats are not held back by it.
        resolved: whether the end of an episode is told too.
        repeat: how long after the last alert of an episode it is told again while the rule is true; None is never.
        once: whether one episode is told, and none after it.
        starts: candles that close before it tell nothing, UTC.
        expires: candles that close at it or later tell nothing, UTC.
    """

    for_: int = 1
    cooldown: timedelta = timedelta(0)
    resolved: bool = False
    repeat: timedelta | None = None
    once: bool = False
    starts: datetime | None = None
    expires: datetime | None = None

    def tells_at(self, close_time: datetime) -> bool:
        """Whether a candle that closes then may tell anything."""
        return not (self.starts and close_time < self.starts) and not (self.expires and close_time >= self.expires)


@dataclass(frozen=True, slots=True)
class Episode:
    """Where a watch stands on a market.

    Args:
        armed: the next row of true candles begins an episode.
        run: true candles in a row.
        active: an episode is going on that was told.
        last_fired: close time of the candle it last fired on.
        cooled: episodes the cooldown has held back so far.
        untold: an episode is going on that was held back.
        last_repeated: close time of the candle it was last told again on.
        done: the one episode of a watch that tells `once` has been told.
        spent: episodes that `once` has held back so far.
        outside: episodes that `starts` and `expires` have held back so far.
    """

    armed: bool = False
    run: int = 0
    active: bool = False
    last_fired: datetime | None = None
    cooled: int = 0
    untold: bool = False
    last_repeated: datetime | None = None
    done: bool = False
    spent: int = 0
    outside: int = 0

    @property
    def waits(self) -> bool:
        """Whether a candle on which the rule is false leaves it as it is: most candles of most watches."""
        return self.armed and not self.run

    @property
    def last_told(self) -> datetime | None:
        """Close time of the candle it last fired or was told again on."""
        if self.last_fired and self.last_repeated:
            return max(self.last_fired, self.last_repeated)
        return self.last_fired

    def to_json(self) -> dict[str, Any]:
        """What differs from the state of a watch that starts; so a version that does not know all fields reads most."""
        data = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return {name: value.isoformat() if name in _TIMES else value for name, value in data.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Episode":
        """What `to_json` gave, of this version or another: what that did not know is missing, what only that knows is
        left out. `{}` for a watch that starts.
        """
        known = {one.name: data[one.name] for one in fields(cls) if one.name in data}
        times = {name: datetime.fromisoformat(data[name]) for name in _TIMES if data.get(name)}
        return cls(**{**known, **times})


def advance(
    episode: Episode, truth: int, close_time: datetime, policy: Policy, ended: int | None = None
) -> tuple[Episode, tuple[Kind, ...]]:
    """The state after one more closed candle, and what there is to tell of it, in this order.

    Args:
        truth: of the rule: 1 true, 0 false, -1 unknown.
        close_time: of the candle, UTC.
        ended: of `until`, likewise; left out where the watch has none: the opposite of `truth`.
    """
    if truth == FALSE and episode.waits:
        return episode, ()
    if ended is None:
        ended = UNKNOWN if truth == UNKNOWN else 1 - truth
    told: tuple[Kind, ...] = ()
    if episode.active or episode.untold:
        if ended == TRUE:
            if episode.active and policy.resolved and policy.tells_at(close_time):
                told = ("resolved",)
            episode = replace(episode, armed=True, active=False, untold=False)
    elif truth == FALSE and not episode.armed:
        episode = replace(episode, armed=True)
    if truth != TRUE:
        return replace(episode, run=0) if episode.run else episode, told
    episode = replace(episode, run=episode.run + 1)
    if episode.armed and episode.run >= policy.for_:
        episode = _begun(episode, close_time, policy)
        return episode, (*told, "fired") if episode.active else told
    if _is_due_again(episode, close_time, policy):
        return replace(episode, last_repeated=close_time), (*told, "repeated")
    return episode, told


def _begun(episode: Episode, close_time: datetime, policy: Policy) -> Episode:
    """The state once another episode has begun: it is told, unless something holds it back."""
    begun = replace(episode, armed=False)
    if not policy.tells_at(close_time):
        return replace(begun, untold=True, outside=episode.outside + 1)
    if policy.once and episode.done:
        return replace(begun, untold=True, spent=episode.spent + 1)
    if episode.last_told and close_time - episode.last_told < policy.cooldown:
        return replace(begun, untold=True, cooled=episode.cooled + 1)
    return replace(begun, active=True, last_fired=close_time, done=policy.once)


def _is_due_again(episode: Episode, close_time: datetime, policy: Policy) -> bool:
    if not (policy.repeat and episode.active and episode.last_told and policy.tells_at(close_time)):
        return False
    return close_time - episode.last_told >= policy.repeat
