"""Whether an alert is emailed to a recipient."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.alerts.decision import Candidate, day_of, decide

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def none_yet(watch_id: int, day: date) -> int:
    return 0


def test_what_is_due_is_sent() -> None:
    assert decide([Candidate(1, NOON), Candidate(2, NOON, max_per_day=1)], none_yet) == [None, None]


def test_the_budget_counts_emails_so_what_comes_together_is_sent_together() -> None:
    three = [Candidate(1, NOON, max_per_day=1)] * 3
    assert decide(three, none_yet) == [None] * 3
    assert decide(three, lambda watch_id, day: 1) == ["budget"] * 3


def test_each_watch_has_its_own_budget_by_the_utc_day_of_its_candles() -> None:
    sent = Counter({(1, date(2026, 3, 2)): 2})
    due = [
        Candidate(1, NOON, max_per_day=2),
        Candidate(2, NOON, max_per_day=2),
        Candidate(1, NOON + timedelta(days=1), max_per_day=2),
    ]
    assert decide(due, lambda watch_id, day: sent[watch_id, day]) == ["budget", None, None]


def test_a_day_is_one_of_utc_wherever_the_time_was_written() -> None:
    assert day_of(datetime(2026, 3, 3, 1, tzinfo=timezone(timedelta(hours=9)))) == date(2026, 3, 2)


def test_a_recipient_who_left_and_a_late_alert_are_told_before_the_budget() -> None:
    due = [
        Candidate(1, NOON, max_per_day=1, late=True, removed=True),
        Candidate(1, NOON, max_per_day=1, late=True),
        Candidate(1, NOON, max_per_day=1),
    ]
    assert decide(due, lambda watch_id, day: 1) == ["removed", "late", "budget"]


def test_what_was_decided_to_be_sent_stays_so() -> None:
    due = [Candidate(1, NOON, max_per_day=1, late=True, removed=True, decided=True)]
    assert decide(due, lambda watch_id, day: 5) == [None]


def test_how_many_were_sent_is_asked_once_a_watch_and_day_and_not_without_a_budget() -> None:
    asked: list[tuple[int, date]] = []

    def emails_of_day(watch_id: int, day: date) -> int:
        asked.append((watch_id, day))
        return 0

    decide([Candidate(1, NOON, max_per_day=3)] * 4 + [Candidate(2, NOON)], emails_of_day)
    assert asked == [(1, date(2026, 3, 2))]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 3)), max_size=60))
def test_never_more_emails_of_a_watch_and_day_than_its_budget(due) -> None:
    budgets = {0: 0, 1: 1, 2: 3}
    sent: Counter[tuple[int, date]] = Counter()
    for hour in sorted({hour for _, hour, _ in due}):
        close = NOON + timedelta(hours=hour)
        together = [
            Candidate(watch, close, budgets[watch]) for watch, at, many in due if at == hour for _ in range(many)
        ]
        reasons = decide(together, lambda watch_id, day: sent[watch_id, day])
        carried = {one.watch_id for one, held in zip(together, reasons, strict=True) if not held}
        held = {one.watch_id for one, held in zip(together, reasons, strict=True) if held}
        assert not carried & held
        assert all(sent[watch, day_of(close)] == budgets[watch] for watch in held)
        sent.update((watch, day_of(close)) for watch in carried)
    assert all(number <= (budgets[watch] or 1000) for (watch, _), number in sent.items())
