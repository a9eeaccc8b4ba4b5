"""What is told of a rule's truth, candle by candle: by examples. The laws are in `test_episode_laws.py`."""

from datetime import UTC, datetime, timedelta

from cryptowatch.alerts.episode import Episode, Policy, advance

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

TRUTHS = {"T": 1, "f": 0, "?": -1}
LETTERS = {"fired": "F", "repeated": "A", "resolved": "R"}


def told(truths: str, policy: Policy = Policy(), until: str | None = None) -> str:
    """What is told at each candle: F fired, A again, R resolved, X resolved and fired, a dot nothing.

    `truths` and `until` have a letter a candle: T true, f false, ? unknown.
    """
    episode, out = Episode(), ""
    for index, letter in enumerate(truths):
        ended = None if until is None else TRUTHS[until[index]]
        episode, kinds = advance(episode, TRUTHS[letter], START + index * MINUTE, policy, ended)
        assert Episode.from_json(episode.to_json()) == episode
        out += {"": ".", "RF": "X"}.get(letters := "".join(LETTERS[kind] for kind in kinds), letters)
    return out


def test_it_fires_when_the_rule_becomes_true_and_once_an_episode() -> None:
    assert told("fTTTfT") == ".F...F"


def test_a_rule_true_at_its_first_known_candle_waits_until_it_has_been_false() -> None:
    assert told("??TTfT") == ".....F"
    assert told("TTfT", until="TTTT") == "...F"


def test_unknown_neither_fires_nor_rearms_nor_resolves() -> None:
    assert told("fT?T", Policy(resolved=True)) == ".F.."
    assert told("fT?f", Policy(resolved=True)) == ".F.R"


def test_it_waits_for_so_many_true_candles_in_a_row() -> None:
    assert told("fTTfTTT", Policy(for_=3)) == "......F"
    assert told("fTT?TTT", Policy(for_=3)) == "......F"


def test_within_the_cooldown_an_episode_is_held_back_and_counted() -> None:
    policy = Policy(cooldown=3 * MINUTE)
    assert told("fTfTfT", policy) == ".F...F"
    episode = Episode(armed=True, last_fired=START)
    episode, kinds = advance(episode, 1, START + MINUTE, policy)
    assert (kinds, episode.cooled) == ((), 1)


def test_the_end_is_told_only_of_what_was_told() -> None:
    policy = Policy(cooldown=10 * MINUTE, resolved=True)
    assert told("fTfTf", policy) == ".FR.."


def test_with_until_the_rule_being_false_in_between_ends_nothing() -> None:
    policy = Policy(resolved=True)
    assert told("fTfTfTf", policy) == ".FRFRFR"
    assert told("fTfTfTf", policy, until="ffffTff") == ".F..RF."


def test_an_unknown_until_ends_nothing_and_a_known_one_ends_beside_an_unknown_rule() -> None:
    policy = Policy(resolved=True)
    assert told("fTffT", policy, until="fff?f") == ".F..."
    assert told("fT??fT", policy, until="ff?Tff") == ".F.R.F"


def test_before_the_first_alert_a_false_rule_arms_whatever_until_says() -> None:
    assert told("ffT", until="fff") == "..F"


def test_one_candle_may_end_an_episode_and_begin_the_next() -> None:
    assert told("fTTTT", Policy(resolved=True), until="ffTff") == ".FX.."
    assert told("fTTTT", until="ffTff") == ".FF.."


def test_what_the_cooldown_held_back_ends_with_until_too() -> None:
    policy = Policy(cooldown=3 * MINUTE, resolved=True)
    assert told("fTfTfTfT", policy, until="ffTfffTf") == ".FR....F"


def test_it_tells_again_every_so_often_while_the_rule_is_true() -> None:
    policy = Policy(repeat=2 * MINUTE, resolved=True)
    assert told("fTTTTTTf", policy) == ".F.A.A.R"
    assert told("fTT?TTTf", policy) == ".F..A.AR"
    assert told("fTffTTTf", policy, until="fffffffT") == ".F..A.AR"


def test_a_repeat_between_two_candles_comes_on_the_next_one() -> None:
    assert told("fTTTTT", Policy(repeat=timedelta(seconds=90))) == ".F.A.A"


def test_a_cooldown_holds_back_no_repeats_and_is_counted_from_the_last_one() -> None:
    policy = Policy(cooldown=4 * MINUTE, repeat=2 * MINUTE)
    assert told("fTTTfTfTfT", policy) == ".F.A...F.."


def test_what_was_held_back_is_not_told_again_either() -> None:
    policy = Policy(cooldown=10 * MINUTE, repeat=MINUTE)
    assert told("fTfTTTf", policy) == ".F....."


def test_once_tells_one_episode_its_repeats_and_its_end_and_then_nothing() -> None:
    policy = Policy(once=True, repeat=2 * MINUTE, resolved=True)
    assert told("fTTTfTTTfT", policy) == ".F.AR....."


def test_taking_once_away_lets_a_watch_that_was_done_fire_again() -> None:
    done = Episode(armed=True, last_fired=START, done=True)
    assert advance(done, 1, START + MINUTE, Policy(once=True))[1] == ()
    assert advance(done, 1, START + MINUTE, Policy())[1] == ("fired",)


def test_once_counts_from_when_the_watch_says_so() -> None:
    told_before = Episode(armed=True, last_fired=START)
    episode, kinds = advance(told_before, 1, START + MINUTE, Policy(once=True))
    assert (kinds, episode.done) == (("fired",), True)


def test_before_it_starts_and_once_it_has_expired_nothing_is_told() -> None:
    policy = Policy(starts=START + 3 * MINUTE, expires=START + 6 * MINUTE, resolved=True)
    assert told("fTfTfTfT", policy) == "...FRF.."


def test_what_began_before_the_start_is_not_told_later() -> None:
    policy = Policy(starts=START + 3 * MINUTE, resolved=True, repeat=MINUTE)
    assert told("fTTTTfT", policy) == "......F"
    assert told("fTfTfTfT", policy, until="ffffTfff") == ".....F.A"


def test_a_row_of_true_candles_may_begin_before_the_start() -> None:
    assert told("fTTT", Policy(starts=START + 3 * MINUTE, for_=3)) == "...F"


def test_what_was_not_told_counts_for_no_cooldown_and_no_once() -> None:
    policy = Policy(starts=START + 3 * MINUTE, cooldown=10 * MINUTE, once=True)
    assert told("fTfTfT", policy) == "...F.."


def test_the_state_of_an_older_version_is_read() -> None:
    old = {"armed": False, "run": 2, "active": True, "last_fired": "2026-03-02T00:00:00+00:00", "cooled": 3}
    assert Episode.from_json(old) == Episode(run=2, active=True, last_fired=START, cooled=3)
    assert Episode.from_json({}) == Episode()


def test_a_state_says_only_what_has_happened_so_that_an_older_version_knows_it() -> None:
    assert Episode().to_json() == {}
    assert Episode(run=2, last_fired=START).to_json() == {"run": 2, "last_fired": START.isoformat()}


def test_a_state_that_a_newer_version_wrote_can_be_read() -> None:
    assert Episode.from_json({**Episode(armed=True).to_json(), "of_tomorrow": 1}) == Episode(armed=True)
