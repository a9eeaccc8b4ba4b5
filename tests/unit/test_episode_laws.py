"""The laws of episodes, for any truths and any options of a watch."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cryptowatch.alerts.episode import Episode, Kind, Policy, advance

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Truths = list[tuple[int, int | None]]


LENGTH = 32


def letters(weighted: str) -> st.SearchStrategy[list[int]]:
    """A truth a candle: T true, f false, ? unknown, each as likely as it is often in the text."""
    truths = [{"T": 1, "f": 0, "?": -1}[letter] for letter in weighted]
    return st.binary(min_size=LENGTH, max_size=LENGTH).map(lambda some: [truths[one % len(truths)] for one in some])


def truths_of(until: st.SearchStrategy[list[int]] | None) -> st.SearchStrategy[Truths]:
    ends = until if until is not None else st.just([None] * LENGTH)
    return st.tuples(letters("TTTff?"), ends).map(lambda both: list(zip(*both, strict=True)))


def minutes(least: int, most: int) -> st.SearchStrategy[timedelta]:
    return st.integers(least, most).map(lambda count: count * MINUTE)


def moments(least: int, most: int) -> st.SearchStrategy[datetime | None]:
    return st.none() | minutes(least, most).map(lambda after: START + after)


#: The truth of the rule and of `until` at each candle; some watches have no `until`.
SOME_TRUTHS = truths_of(None) | truths_of(letters("Tfff?"))
SOME_POLICIES = st.builds(
    Policy,
    for_=st.integers(1, 3),
    cooldown=minutes(0, 8),
    resolved=st.booleans(),
    repeat=st.none() | minutes(1, 6),
    once=st.booleans(),
    starts=moments(0, 15),
    expires=moments(15, 40),
)
#: What holds nothing back.
PLAIN = {"cooldown": timedelta(0), "once": False, "starts": None, "expires": None}

many = settings(max_examples=400, deadline=None)


@dataclass(frozen=True)
class Told:
    index: int
    kind: Kind


def run(truths: Truths, policy: Policy, episode: Episode = Episode(), first: int = 0) -> tuple[Episode, list[Told]]:
    told = []
    for index, (truth, ended) in enumerate(truths, start=first):
        episode, kinds = advance(episode, truth, START + index * MINUTE, policy, ended)
        told += [Told(index, kind) for kind in kinds]
    return episode, told


def told_of(truths: Truths, policy: Policy) -> list[Told]:
    return run(truths, policy)[1]


def fires(told: Sequence[Told]) -> list[int]:
    return [one.index for one in told if one.kind == "fired"]


def ends(truths: Truths) -> list[int]:
    """The candles at which the end of an episode is known to be true."""
    return [index for index, (truth, ended) in enumerate(truths) if (truth == 0 if ended is None else ended == 1)]


@many
@given(SOME_TRUTHS, SOME_POLICIES, st.data())
def test_however_the_candles_are_split_into_batches_the_same_is_told(truths, policy, data) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(truths)), max_size=10).map(sorted))
    episode, told = Episode(), []
    for start, end in pairwise([0, *cuts, len(truths)]):
        stored = json.loads(json.dumps(episode.to_json()))
        episode, more = run(truths[start:end], policy, Episode.from_json(stored), start)
        told += more
    assert (episode, told) == run(truths, policy)


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_a_watch_is_armed_or_in_one_episode_that_was_told_or_in_one_that_was_not(truths, policy) -> None:
    episode = Episode()
    for index, (truth, ended) in enumerate(truths):
        episode, _ = advance(episode, truth, START + index * MINUTE, policy, ended)
        assert episode.armed + episode.active + episode.untold <= 1


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_between_two_fires_the_first_one_ended(truths, policy) -> None:
    ended = ends(truths)
    for earlier, later in pairwise(fires(told_of(truths, policy))):
        assert any(earlier < end <= later for end in ended)


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_it_fires_on_a_row_of_true_candles_after_the_rule_was_known_to_be_false(truths, policy) -> None:
    known = [truth for truth, _ in truths]
    for index in fires(told_of(truths, policy)):
        assert known[index - policy.for_ + 1 : index + 1] == [1] * policy.for_
        assert 0 in known[:index]


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_with_nothing_to_hold_it_back_every_episode_is_told_at_its_first_candle(truths, policy) -> None:
    known = [truth for truth, _ in truths]
    expected = []
    armed_from = known.index(0) if 0 in known else len(known)
    while True:
        rows = (one for one in range(armed_from, len(known)) if one + 1 >= policy.for_)
        begin = next((one for one in rows if known[one - policy.for_ + 1 : one + 1] == [1] * policy.for_), None)
        if begin is None:
            break
        expected.append(begin)
        armed_from = next((end for end in ends(truths) if end > begin), len(known))
    assert fires(told_of(truths, replace(policy, **PLAIN))) == expected


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_repeats_are_of_a_true_rule_in_one_episode_and_as_far_apart_as_asked(truths, policy) -> None:
    assume(policy.repeat)
    ended, told = ends(truths), told_of(truths, policy)
    for earlier, later in pairwise(one for one in told if one.kind != "resolved"):
        if later.kind == "repeated":
            assert (later.index - earlier.index) * MINUTE >= policy.repeat
            assert not any(earlier.index < end <= later.index for end in ended)
            assert truths[later.index][0] == 1
    assert not told or told[0].kind == "fired"


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_a_repeat_comes_on_the_first_candle_that_is_due_whatever_the_cooldown(truths, policy) -> None:
    assume(policy.repeat)
    policy = replace(policy, starts=None, expires=None)
    ended, told = ends(truths), told_of(truths, policy)
    for one in told:
        if one.kind == "resolved":
            continue
        over = next((end for end in ended if end > one.index), len(truths))
        due = range(one.index + policy.repeat // MINUTE, over)
        first = next((index for index in due if truths[index][0] == 1), None)
        assert first is None or Told(first, "repeated") in told


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_an_end_is_told_once_of_what_was_told_and_of_all_of_it(truths, policy) -> None:
    ended, told = ends(truths), told_of(truths, policy)
    first_ends = [next((end for end in ended if end > begin), len(truths)) for begin in fires(told)]
    tellable = [end for end in first_ends if end < len(truths) and policy.tells_at(START + end * MINUTE)]
    assert [one.index for one in told if one.kind == "resolved"] == (tellable if policy.resolved else [])


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_nothing_is_told_outside_of_starts_and_expires(truths, policy) -> None:
    for one in told_of(truths, policy):
        close = START + one.index * MINUTE
        assert policy.starts is None or close >= policy.starts
        assert policy.expires is None or close < policy.expires


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_inside_of_them_it_fires_as_if_they_were_not_there(truths, policy) -> None:
    always = replace(policy, **PLAIN)
    bounded = replace(always, starts=policy.starts, expires=policy.expires)
    inside = [one for one in fires(told_of(truths, always)) if bounded.tells_at(START + one * MINUTE)]
    assert fires(told_of(truths, bounded)) == inside


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_the_cooldown_keeps_episodes_apart_from_what_was_told_before(truths, policy) -> None:
    loud = [one for one in told_of(truths, policy) if one.kind != "resolved"]
    for earlier, later in pairwise(loud):
        assert later.kind == "repeated" or (later.index - earlier.index) * MINUTE >= policy.cooldown


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_once_tells_what_any_watch_tells_first_until_that_is_over(truths, policy) -> None:
    told = told_of(truths, replace(policy, once=False))
    begin = next(iter(fires(told)), len(truths))
    over = next((end for end in ends(truths) if end > begin), len(truths))
    first = [one for one in told if one.index < over or (one.index == over and one.kind == "resolved")]
    assert told_of(truths, replace(policy, once=True)) == first


@many
@given(SOME_TRUTHS, SOME_POLICIES)
def test_an_unknown_rule_tells_nothing_but_an_end_that_is_known(truths, policy) -> None:
    for one in told_of(truths, policy):
        assert truths[one.index][0] != -1 or (one.kind == "resolved" and truths[one.index][1] == 1)


@many
@given(truths_of(None), st.integers(1, 4), minutes(0, 8), st.booleans())
def test_without_the_newer_options_it_is_as_it_was_before_them(truths, for_, cooldown, resolved) -> None:
    armed, active, run_, last, cooled, expected = False, False, 0, None, 0, []
    for index, (truth, _) in enumerate(truths):
        if truth == -1:
            run_ = 0
        elif truth == 0:
            if active and resolved:
                expected.append(Told(index, "resolved"))
            armed, run_, active = True, 0, False
        else:
            run_ += 1
            if armed and run_ >= for_:
                armed = False
                if last is not None and (index - last) * MINUTE < cooldown:
                    cooled += 1
                else:
                    active, last = True, index
                    expected.append(Told(index, "fired"))
    episode, told = run(truths, Policy(for_, cooldown, resolved))
    assert told == expected
    assert (episode.armed, episode.run, episode.active, episode.cooled) == (armed, run_, active, cooled)
