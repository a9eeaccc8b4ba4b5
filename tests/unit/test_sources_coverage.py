"""No exchange, however it cuts its answers, makes us believe that a candle it has is missing."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.markets.candle import Candle
from cryptowatch.sources.coverage import Answer, Ask, CarefulReader, KnownReader
from cryptowatch.sources.errors import BadAnswerError

Server = Callable[[list[int]], Ask]


def answer(steps: list[int]) -> Answer:
    candle = Candle(datetime(2026, 1, 1, tzinfo=UTC), 1, 1, 1, 1, 0)
    return Answer(dict.fromkeys(steps, candle), len(steps))


def first_from(cap: int) -> Server:
    """Gives the first candles from the time asked for on."""
    return lambda traded: lambda start, count: answer([s for s in traded if s >= start][: min(cap, count)])


def first_of_span(cap: int) -> Server:
    """Gives the candles of the span asked for; the first ones, where they are too many."""
    return lambda traded: lambda start, count: answer([s for s in traded if start <= s < start + count][:cap])


def newest_of_span(cap: int) -> Server:
    """Gives the candles of the span asked for; the newest ones, where they are too many."""
    return lambda traded: lambda start, count: answer([s for s in traded if start <= s < start + count][-cap:])


def newest(cap: int) -> Server:
    """Gives its newest candles whatever the time asked for."""
    return lambda traded: lambda start, count: answer(traded[-min(cap, count) :])


def newest_all(cap: int) -> Server:
    """Gives its newest candles whatever is asked for."""
    return lambda traded: lambda start, count: answer(traded[-cap:])


def newest_from(cap: int) -> Server:
    """Gives those of its newest candles that lie after the time asked for."""
    return lambda traded: lambda start, count: answer([s for s in traded[-cap:] if s >= start])


COMPLETE = st.builds(
    lambda make, cap: make(cap), st.sampled_from([first_from, first_of_span, newest_of_span]), st.integers(2, 70)
)
ANY = COMPLETE | st.builds(
    lambda make, cap: make(cap), st.sampled_from([newest, newest_all, newest_from]), st.integers(2, 70)
)
#: Steps with a trade: dense runs and long silences.
TRADED = st.lists(st.tuples(st.integers(1, 90), st.integers(0, 400)), min_size=1, max_size=6).map(
    lambda runs: sorted(
        {
            at + s
            for index, (length, quiet) in enumerate(runs)
            for at in [sum(map(sum, runs[:index])) + quiet]
            for s in range(length)
        }
    )
)


def covered(ask: Ask, page: int, start: int, end: int, traded: list[int]) -> set[int]:
    """The steps claimed on the way from `start` to `end`; each claim is checked against what was traded."""
    reader, claimed = CarefulReader(ask, page), set()
    while start <= end:
        steps, got = reader.read(start, end)
        if not steps:
            break
        assert {step for step in traded if step in steps} <= set(got.candles)
        assert start <= steps.start < steps.stop <= end + 1
        claimed |= set(steps)
        start = steps.stop
    return claimed


@given(server=ANY, traded=TRADED, page=st.integers(1, 120), start=st.integers(0, 900), length=st.integers(1, 600))
def test_an_unknown_exchange_never_makes_a_traded_step_count_as_missing(
    server: Server, traded: list[int], page: int, start: int, length: int
) -> None:
    covered(server(traded), page, start, start + length - 1, traded)


@given(server=COMPLETE, traded=TRADED, page=st.integers(1, 120), start=st.integers(0, 900), length=st.integers(1, 600))
def test_an_unknown_exchange_with_all_its_history_is_read_to_the_end(
    server: Server, traded: list[int], page: int, start: int, length: int
) -> None:
    end = start + length - 1
    assert covered(server(traded), page, start, end, traded) == set(range(start, end + 1))


@pytest.mark.parametrize("server", [first_from(1000), first_of_span(1000), newest_of_span(1000), newest_all(1000)])
def test_the_newest_candle_of_an_unknown_exchange_takes_one_request(server: Server) -> None:
    traded, asked = list(range(5000)), []
    ask = server(traded)

    def counted(start: int, count: int) -> Answer:
        asked.append((start, count))
        return ask(start, count)

    # Step 4999 is still open; 4998 has just closed, and 4997 is read again to see revisions.
    assert CarefulReader(counted, 500).read(4997, 4998).steps == range(4997, 4999)
    assert asked == [(4972, 50)]


def test_what_an_unknown_exchange_no_longer_serves_is_not_claimed() -> None:
    assert CarefulReader(newest_all(100)(list(range(5000))), 300).read(1000, 4998).steps == range(4900, 4999)


def test_answers_that_contradict_each_other_are_an_error() -> None:
    answers = iter([[15], [10]])
    with pytest.raises(BadAnswerError, match="contradict"):
        CarefulReader(lambda start, count: answer(next(answers)), 2).read(10, 20)


class TestKnownExchange:
    def test_an_empty_answer_covers_the_range_asked_for(self) -> None:
        assert KnownReader(lambda start, count: answer([]), 300, None).read(100, 10_000).steps == range(100, 400)

    def test_an_answer_covers_its_range_though_it_begins_late_and_ends_early(self) -> None:
        assert KnownReader(lambda start, count: answer([150, 160]), 300, None).read(100, 200).steps == range(100, 201)

    def test_candles_beyond_the_range_do_not_stretch_it(self) -> None:
        assert KnownReader(lambda start, count: answer([500]), 300, None).read(100, 200).steps == range(100, 201)

    def test_repeated_rows_that_took_the_place_of_others_end_the_range(self) -> None:
        repeated = Answer(answer([100, 101]).candles, 4)
        assert KnownReader(lambda start, count: repeated, 300, None).read(100, 103).steps == range(100, 102)

    def test_a_full_answer_of_the_newest_covers_from_its_first_candle(self) -> None:
        full = answer(list(range(105, 825)))
        assert KnownReader(lambda start, count: full, 720, 720).read(100, 800).steps == range(105, 801)

    def test_candles_from_before_the_range_are_an_error(self) -> None:
        with pytest.raises(BadAnswerError, match="before what was asked for"):
            KnownReader(lambda start, count: answer([7, 8]), 300, None).read(100, 200)
