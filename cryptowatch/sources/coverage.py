"""How far an answer reaches: of which steps every candle the source has is in it.

Claiming too much makes a candle that exists count as missing, for good; claiming too little only costs another
request. What an exchange leaves out when it cuts an answer is known of some exchanges, and found out of the others.
"""

from collections.abc import Callable
from typing import NamedTuple

from cryptowatch.markets.candle import Candle
from cryptowatch.sources.errors import BadAnswerError


class Answer(NamedTuple):
    """One error-free answer.

    Args:
        candles: by step, ascending.
        rows: how many rows it had, repeats included.
    """

    candles: dict[int, Candle]
    rows: int

    @property
    def first(self) -> int:
        """The first step it holds; only of an answer with candles."""
        return next(iter(self.candles))

    @property
    def last(self) -> int:
        """The last step it holds; only of an answer with candles."""
        return next(reversed(self.candles))


#: Asks for so many steps (the second) from a step on (the first).
Ask = Callable[[int, int], Answer]


class Reach(NamedTuple):
    """An answer, and the steps it is complete for; none means that it tells nothing of the steps asked for."""

    steps: range
    answer: Answer


class KnownReader:
    """Reads an exchange that answers with all candles of the range asked for, as far as it serves them.

    Args:
        page: the most steps to ask for at once.
        newest_only: how many of a market's candles it serves at all, the newest ones; None: all.
    """

    def __init__(self, ask: Ask, page: int, newest_only: int | None) -> None:
        self._ask = ask
        self._page = page
        self._newest_only = newest_only

    def read(self, start: int, end: int) -> Reach:
        """The candles from step `start` on, up to `end` (inclusive) or as far as one answer goes.

        Raises:
            BadAnswerError: the candles are others than were asked for.
        """
        end = min(end, start + self._page - 1)
        answer = self._ask(start, end - start + 1)
        if not answer.candles:
            return Reach(range(start, end + 1), answer)
        if self._newest_only is None and answer.first < start - 1:
            raise BadAnswerError("candles from before what was asked for")
        first = start
        if self._newest_only is not None and answer.rows >= self._newest_only:
            # Cut at its old end: what was asked for may have fallen out of reach since.
            first = max(start, answer.first)
        elif answer.rows > end - start and answer.last < end:
            # Cut at its new end: as many rows as were asked for, some of them repeats.
            end = answer.last
        return Reach(range(first, end + 1), answer)


class CarefulReader:
    """Reads an exchange of which nothing is known: it may give the first candles from the time asked for on, those
    of a span, the newest ones of that span, or its newest ones whatever is asked; and fewer than it says.

    Candles of an answer are taken for neighbours: between two of them there is none that it leaves out. So each
    request looks back half a page, and an answer that holds a candle at or before the first step wanted is complete
    from there. Of one that begins later it is asked what lies before its beginning, if anything.

    Args:
        page: the most steps to ask for at once; it becomes less when the exchange turns out to give less.
    """

    #: Steps to ask for where few are wanted: enough to look back over some minutes without a trade.
    LEAST = 50
    #: The smallest page. An answer of one candle does not show whether it is the first or the newest one.
    SMALLEST = 2

    def __init__(self, ask: Ask, page: int) -> None:
        self._ask = ask
        self._page = max(page, self.SMALLEST)

    def read(self, start: int, end: int) -> Reach:
        """The candles from step `start` on, up to `end` (inclusive) or as far as is sure.

        Raises:
            BadAnswerError: answers contradict each other.
        """
        page = min(self._page, max(self.LEAST, 2 * (end - start + 1)))
        asked_to = start - page // 2 + page
        answer = self._ask(start - page // 2, page)
        if answer.candles and answer.last < start:
            asked_to = start + page
            answer = self._ask(start, page)
        if not answer.candles:
            return Reach(range(start, min(asked_to, end + 1)), answer)
        if answer.first <= start:
            return Reach(range(start, min(answer.last, end) + 1), answer)
        return self._beginning_late(answer, start, end)

    def _beginning_late(self, answer: Answer, start: int, end: int) -> Reach:
        """Nothing traded before the answer's beginning, or candles are left out there: find out which."""
        beginning = min(answer.first, end + 1)
        whole = Reach(range(start, min(answer.last, end) + 1), answer)
        one = self._ask(start, 1)
        if one.rows == 1 and one.first == answer.first:
            return whole  # the first candle from `start` on: that is how it answers
        if one.candles and not start <= one.first < answer.first:
            return Reach(range(beginning, whole.steps.stop), answer)  # its newest ones: no telling what was before
        before = min(beginning - start, self._page)
        left_out = one.candles or self._ask(start, before).candles
        if not any(start <= step < answer.first for step in left_out):
            return whole if start + before == beginning else Reach(range(start, start + before), answer)
        if self._page == self.SMALLEST:
            raise BadAnswerError("two answers that contradict each other")
        self._page = max(self.SMALLEST, min(answer.rows, self._page - 1))
        return self.read(start, end)
