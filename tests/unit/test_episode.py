from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cryptowatch.alerts.episode import Episode, Policy, advance

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def told(truths: str, policy: Policy = Policy()) -> str:
    """What is told at each candle: F fired, R resolved, a dot nothing. T true, f false, ? unknown."""
    episode, out = Episode(), ""
    for index, letter in enumerate(truths):
        truth = {"T": 1, "f": 0, "?": -1}[letter]
        episode, kind = advance(episode, truth, START + index * MINUTE, policy)
        assert Episode.from_json(episode.to_json()) == episode
        out += {"fired": "F", "resolved": "R", None: "."}[kind]
    return out


def test_it_fires_when_the_rule_becomes_true_and_once_an_episode() -> None:
    assert told("fTTTfT") == ".F...F"


def test_a_rule_true_at_its_first_known_candle_waits_until_it_has_been_false() -> None:
    assert told("??TTfT") == ".....F"


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
    episode, kind = advance(episode, 1, START + MINUTE, policy)
    assert (kind, episode.cooled) == (None, 1)


def test_the_end_is_told_only_of_what_was_told() -> None:
    policy = Policy(cooldown=10 * MINUTE, resolved=True)
    assert told("fTfTf", policy) == ".FR.."


@given(st.text("Tf?", max_size=60), st.integers(1, 4), st.integers(0, 5), st.booleans())
def test_between_two_alerts_the_rule_was_false_and_every_end_follows_a_start(truths, for_, cooldown, resolved) -> None:
    out = told(truths, Policy(for_, cooldown * MINUTE, resolved))
    fired = [index for index, letter in enumerate(out) if letter == "F"]
    for earlier, later in zip(fired, fired[1:], strict=False):
        assert "f" in truths[earlier:later]
        assert later - earlier >= cooldown
    starts_and_ends = out.replace(".", "")
    assert "RR" not in starts_and_ends
    assert not starts_and_ends.startswith("R")
    for index in fired:
        assert truths[index - for_ + 1 : index + 1] == "T" * for_
        assert "f" in truths[:index]
