"""What a watch list may hold, and what its reader says about everything else."""

import pytest

from cryptowatch.watches.form import CheckedWatchList
from cryptowatch.watches.market_names import excluded
from cryptowatch.watches.reader import Problem, WatchListError, read_watch_list

GOOD = """\
recipients:
  me: you@example.com
watches:
  - name: BTC oversold
    markets: [kraken:BTC/USD, "coinbase:*/USD"]
    interval: 1h
    when: rsi(14) < 30 and close < bollinger(20, 2).lower
    for: 2
    cooldown: 12h
    severity: high
    notify: [me]
    max_per_day: 5
    resolved: true
"""


class Catalog:
    """Three exchanges; nobody knows what binance lists."""

    def sources(self) -> list[str]:
        return ["binance", "coinbase", "kraken"]

    def symbols(self, source: str) -> list[str] | None:
        listed = {"kraken": ["BTC/USD", "ETH/USD"], "coinbase": ["ETH/USD", "ADA/USD", "BTC/EUR"]}
        return listed.get(source)

    def intervals(self, source: str) -> list[str] | None:
        return ["1m", "5m", "15m", "1h", "1d"] if source == "coinbase" else None

    def volumes(self, source: str) -> dict[str, float] | None:
        return {"BTC/USD": 5.0, "ETH/USD": 9.0} if source == "kraken" else None

    def requests_a_minute(self, source: str) -> float | None:
        return 600.0 if source == "coinbase" else None


def read(text: str) -> CheckedWatchList:
    return read_watch_list(text, file="w.yaml", catalog=Catalog())


def problems(text: str) -> list[Problem]:
    with pytest.raises(WatchListError) as caught:
        read(text)
    return list(caught.value.problems)


def said(text: str) -> str:
    """The one problem of a list, as it is printed."""
    found = problems(text)
    assert len(found) == 1, [str(one) for one in found]
    return str(found[0])


def changed(*changes: str) -> str:
    """The good list with `old -> new` replaced."""
    text = GOOD
    for change in changes:
        old, _, new = change.partition(" -> ")
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_good_list_comes_with_stars_expanded_and_look_backs() -> None:
    checked = read(GOOD)
    (one,) = checked.watches
    assert one.watch.markets == ("kraken:BTC/USD", "coinbase:ADA/USD", "coinbase:ETH/USD")
    assert one.watch.for_ == 2
    assert set(one.look_back) == {"1h"}
    assert checked.recipients == {"me": "you@example.com"}


def test_what_is_read_survives_the_way_to_control() -> None:
    checked = read(GOOD)
    assert CheckedWatchList.model_validate_json(checked.model_dump_json(by_alias=True)) == checked


def test_a_market_that_is_named_twice_is_watched_once() -> None:
    checked = read(changed("kraken:BTC/USD -> kraken:BTC/USD, kraken:BTC/USD, coinbase:ADA/USD"))
    assert checked.watches[0].watch.markets == ("kraken:BTC/USD", "coinbase:ADA/USD", "coinbase:ETH/USD")


def test_anchors_and_aliases_may_be_used() -> None:
    text = changed("markets: [ -> markets: &both [") + (
        "  - {name: again, markets: *both, interval: 1h, when: close > 1, notify: [me]}\n"
    )
    first, second = read(text).watches
    assert first.watch.markets == second.watch.markets


def test_every_problem_is_told_in_the_order_of_the_file() -> None:
    found = problems(
        changed("cooldown -> cooldwon", "kraken:BTC -> kraaken:BTC", "[me] -> [mee]", "for: 2 -> for: two")
    )
    assert [(one.line, one.column) for one in found] == [(5, 15), (8, 10), (9, 5), (11, 14)]
    assert str(found[2]) == ("w.yaml:9:5: unknown key 'cooldwon' in watch 'BTC oversold' — did you mean 'cooldown'?")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("1h -> 1hr", "w.yaml:6:15: 'interval' of watch 'BTC oversold' is an unknown interval '1hr' — one of 1m, 5m"),
        ("[me] -> [mee]", "w.yaml:11:14: unknown recipient 'mee' in watch 'BTC oversold' — did you mean 'me'?"),
        ("you@example.com -> you.example", "w.yaml:2:7: the address of recipient 'me' is malformed: 'you.example'"),
        ("kraken:BTC/USD -> kraaken:BTC/USD", "w.yaml:5:15: unknown exchange 'kraaken' in market 'kraaken:BTC/USD'"),
        ("kraken:BTC/USD -> kraken:BTC/USDT", "w.yaml:5:15: kraken lists no market 'BTC/USDT', in watch"),
        ("kraken:BTC/USD -> BTC/USD", "w.yaml:5:15: market 'BTC/USD' names no exchange, in watch 'BTC oversold'"),
        ("kraken:BTC/USD -> binance:btc/usdt", "w.yaml:5:15: unknown market 'binance:btc/usdt', in watch 'BTC over"),
        ("kraken:BTC/USD -> binance:BTCUSDT", "w.yaml:5:15: 'BTCUSDT' is not a market, in watch 'BTC oversold'"),
        ("kraken:BTC/USD -> kraken: BTC/USD", "w.yaml:5:15: item 1 of 'markets' of watch 'BTC oversold' must be text"),
        ("coinbase:*/USD -> coinbase:*/GBP", "w.yaml:5:31: coinbase lists no market like '*/GBP', in watch"),
        ("coinbase:*/USD -> binance:*/USDT", "w.yaml:5:31: what 'binance:*/USDT' stands for cannot be known: binance"),
        ("coinbase:*/USD -> coinbase:*", "w.yaml:5:31: the star in 'coinbase:*' is not clear, in watch"),
        ("for: 2 -> for: true", "w.yaml:8:10: 'for' of watch 'BTC oversold' must be a whole number, not true"),
        ("for: 2 -> for: 0", "w.yaml:8:10: 'for' of watch 'BTC oversold' must be at least 1, not 0"),
        ("for: 2 -> for:", "w.yaml:8:5: 'for' of watch 'BTC oversold' has no value — add one or remove the line"),
        ("12h -> 12", "w.yaml:9:15: 'cooldown' of watch 'BTC oversold' is not a duration: 12 — a number and one of"),
        ("12h -> 99999999999w", "w.yaml:9:15: 'cooldown' of watch 'BTC oversold' is not a duration"),
        ("cooldown: 12h -> late_after: 0m", "w.yaml:9:17: 'late_after' of watch 'BTC oversold' must be longer than"),
        ("high -> hihg", "w.yaml:10:15: 'severity' of watch 'BTC oversold' must be 'info', 'warning' or 'high'"),
        ("[me] -> me", "w.yaml:11:13: 'notify' of watch 'BTC oversold' must be a list, not 'me' — write [me]"),
        ("[me] -> []", "w.yaml:11:13: 'notify' of watch 'BTC oversold' must not be empty"),
        ("resolved: true -> resolved: maybe", "w.yaml:13:15: 'resolved' of watch 'BTC oversold' must be true or fal"),
        ("name: BTC oversold -> name: 12", "w.yaml:4:11: 'name' of watch 1 must be text, not 12 — put quotes around"),
        ("    interval: 1h\n -> ", "w.yaml:4:5: watch 'BTC oversold' has no 'interval' — add one, like interval: 1h"),
        ("  me: -> \n  m e: x@y.org\n  me:", "w.yaml:3:3: 'm e' is not a name for a recipient — letters, digits"),
        ("  me: -> \n  us: You@example.com\n  me:", "w.yaml:4:7: recipient 'me' has the address of 'us' — one address"),
        ("  me: you@example.com -> \n  us:\n  me: you@example.com", "w.yaml:3:3: recipient 'us' has no address"),
        ("12h -> 12h\n    repeat: 0m", "w.yaml:10:13: 'repeat' of watch 'BTC oversold' must be longer than nothing"),
        ("12h -> 12h\n    once: maybe", "w.yaml:10:11: 'once' of watch 'BTC oversold' must be true or false, not 'may"),
        ("12h -> 12h\n    starts: soon", "w.yaml:10:13: 'starts' of watch 'BTC oversold' is not a date or a date a"),
        ("12h -> 12h\n    expires: 2026-02-30", "w.yaml:10:14: 'expires' of watch 'BTC oversold' is not a date or a"),
        ("12h -> 12h\n    expires: 20260301", "w.yaml:10:14: 'expires' of watch 'BTC oversold' is not a date or a d"),
        ("12h -> 12h\n    starts: 2026-03-02\n    expires: 2026-03-02", "w.yaml:11:14: 'expires' of watch 'BTC "),
        ("12h -> 12h\n    tags: [a b]", "w.yaml:10:12: item 1 of 'tags' of watch 'BTC oversold' is not a name for "),
        ("12h -> 12h\n    tags: majors", "w.yaml:10:11: 'tags' of watch 'BTC oversold' must be a list, not 'majors'"),
        ("12h -> 12h\n    exclude: [BTC/USD]", "w.yaml:10:15: market 'BTC/USD' names no exchange, in watch 'BTC over"),
        ('12h -> 12h\n    exclude: ["kraken:*"]', "w.yaml:10:15: the star in 'kraken:*' is not clear, in watch 'BTC"),
        ("12h -> 12h\n    until: rsii(14) > 50", "w.yaml:10:12: 'until' of watch 'BTC oversold': unknown name 'rsii'"),
        ("12h -> 12h\n    until: ''", "w.yaml:10:12: 'until' of watch 'BTC oversold' must not be empty"),
        ("12h -> 12h\n    until: 5", "w.yaml:10:12: 'until' of watch 'BTC oversold' must be text, not 5 — put quotes "),
        ("12h -> 12h\n    let: {rsi: close}", "w.yaml:10:16: 'rsi' of 'let' of watch 'BTC oversold': 'rsi' has a mean"),
        ("12h -> 12h\n    let: {up: closee + 1}", "w.yaml:10:15: 'up' of 'let' of watch 'BTC oversold': unknown name "),
        ("12h -> 12h\n    let: {1x: close}", "w.yaml:10:11: '1x' of 'let' of watch 'BTC oversold' is not a name — let"),
        ("12h -> 12h\n    let: {x: 5}", "w.yaml:10:14: 'x' of 'let' of watch 'BTC oversold' must be text, not 5 — put"),
        ("12h -> 12h\n    digest: weekly", "w.yaml:10:13: 'digest' of watch 'BTC oversold' is not a digest: 'weekly' "),
        ("12h -> 12h\n    digest: daily at 25:00", "w.yaml:10:13: 'digest' of watch 'BTC oversold' is not a time of d"),
        ("12h -> 12h\n    digest: daily at 08:00 Mars", "w.yaml:10:13: 'digest' of watch 'BTC oversold' is an unknown"),
        ("12h -> 12h\n    quiet_hours: night", "w.yaml:10:18: 'quiet_hours' of watch 'BTC oversold' must be a mapping"),
        ("12h -> 12h\n    quiet_hours: {from: 22:00}", "w.yaml:10:18: 'quiet_hours' of watch 'BTC oversold' has no 't"),
        ("12h -> 12h\n    quiet_hours: {from: 7, to: 8:00}", "w.yaml:10:25: 'from' of 'quiet_hours' of watch 'BTC ove"),
        ("12h -> 12h\n    quiet_hours: {from: 7:00, to: 7:00}", "w.yaml:10:18: 'quiet_hours' of watch 'BTC oversold'"),
        ("12h -> 12h\n    quiet_hours: {form: 7:00, from: 7:00, to: 8:00}", "w.yaml:10:19: unknown key 'form' in 'qui"),
        ("12h -> 12h\n    quiet_hours: {from: 7:00, to: 8:00, zone: Mars}", "w.yaml:10:47: 'zone' of 'quiet_hours' of"),
        ('12h -> 12h\n    title: "  "', "w.yaml:10:12: 'title' of watch 'BTC oversold' must not be empty"),
        ('12h -> 12h\n    note: "a\\0b"', "w.yaml:10:11: the character U+0000 is not allowed in a watch list"),
        (
            "12h -> 12h\n    quiet_hours: {from: 7:00, to: 07:00}",
            "w.yaml:10:18: 'quiet_hours' of watch 'BTC oversold' begin and end at the same time",
        ),
        ("12h -> 12h\n    title: at {prise}", "w.yaml:10:12: 'title' of watch 'BTC oversold' has an unknown field {pr"),
        ("12h -> 12h\n    note: '{'", "w.yaml:10:11: 'note' of watch 'BTC oversold' has a brace without its other hal"),
        ("me: you@example.com -> me: {email: you}", "w.yaml:2:15: 'email' of recipient 'me' 'you' is not an email"),
        ("me: you@example.com -> me: {max_per_day: 5}", "w.yaml:2:7: recipient 'me' has no 'email' — add one"),
        ("me: you@example.com -> me: {email: a@b.org, max: 5}", "w.yaml:2:24: unknown key 'max' in recipient 'me'"),
        ("me: you@example.com -> me: {email: a@b.org, quiet_hours: {to: 7:00}}", "w.yaml:2:37: 'quiet_hours' of "),
        ("me: you@example.com -> me: {email: a@b.org, least_severity: hihg}", "w.yaml:2:40: 'least_severity' of r"),
        ("1h -> 1h\n    interval: 5m", "w.yaml:7:5: key 'interval' is given twice in watch 'BTC oversold' — it is on"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_its_place_and_what_to_do(change: str, expected: str) -> None:
    assert said(changed(change)).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "w.yaml:1:1: the file is empty — a watch list has recipients: and watches:"),
        ("# nothing yet\n", "w.yaml:1:1: the file is empty"),
        ("- a\n", "w.yaml:1:1: a watch list is a mapping with the keys recipients and watches, not a list"),
        ("just words", "w.yaml:1:1: a watch list is a mapping with the keys recipients and watches, not 'just words'"),
        ("recipients: {me: a@b.org}\nwatches: []\n", "w.yaml:2:1: 'watches' is empty — add a watch"),
        ("recipients: {me: a@b.org}\nwatches:\n", "w.yaml:2:1: 'watches' is empty — add a watch"),
        ("recipients: {me: a@b.org}\n", "w.yaml:1:1: the watch list has no 'watches' — add a watch"),
        ("recipients: {me: a@b.org}\nwatches: {}\n", "w.yaml:2:10: 'watches' must be a list, not a mapping"),
        ("recipients: {me: a@b.org}\nwatches: [5]\n", "w.yaml:2:11: watch 1 must be a mapping of keys to values"),
        ("recipients: {me: a@b.org}\nwatchs: []\n", "w.yaml:2:1: unknown key 'watchs' in the watch list — did you"),
        (GOOD.replace("recipients:\n  me: you@example.com\n", "recipients:\n"), "w.yaml:1:1: 'recipients' is empty"),
    ],
)  # fmt: skip
def test_a_list_without_its_parts_is_told_what_is_missing(text: str, expected: str) -> None:
    assert said(text).startswith(expected)


def test_two_watches_may_not_share_a_name() -> None:
    text = GOOD + GOOD[GOOD.index("  - name") :]
    assert said(text).startswith("w.yaml:14:11: another watch is called 'BTC oversold' already, on line 4")


def test_an_interval_that_the_exchange_lacks_is_built_from_a_shorter_one() -> None:
    assert read(changed("1h -> 4h")).watches[0].watch.interval == "4h"
    (watch,) = read(changed('bollinger(20, 2).lower -> ema(20, interval="4h")')).watches
    assert "4h" in watch.look_back


def test_an_interval_shorter_than_all_that_the_exchange_has_is_told() -> None:
    class Days(Catalog):
        def intervals(self, source: str) -> list[str] | None:
            return ["4h", "1d"] if source == "coinbase" else None

    with pytest.raises(WatchListError) as caught:
        read_watch_list(GOOD, file="w.yaml", catalog=Days())
    assert str(caught.value) == (
        "w.yaml:6:15: coinbase has no 1h candles, which watch 'BTC oversold' reads, nor shorter ones to build them from"
        " — it has 4h, 1d"
    )


def test_what_a_star_was_found_from_goes_with_the_watch() -> None:
    (one,) = read(changed('12h -> 12h\n    exclude: ["coinbase:ADA/USD"]')).watches
    assert one.selection is not None
    assert one.selection.markets == ("kraken:BTC/USD", "coinbase:*/USD")
    assert one.selection.exclude == ("coinbase:ADA/USD",)
    (one,) = read(changed('[kraken:BTC/USD, "coinbase:*/USD"] -> [kraken:BTC/USD]')).watches
    assert one.selection is None


def top(name: str) -> str:
    return changed('[kraken:BTC/USD, "coinbase:*/USD"] -> ' + f'["{name}"]')


def test_the_markets_that_trade_most_come_first() -> None:
    def markets(name: str) -> tuple[str, ...]:
        return read(top(name)).watches[0].watch.markets

    assert markets("kraken:top 1 */USD by volume") == ("kraken:ETH/USD",)
    assert markets("kraken:top 9 */USD by volume") == ("kraken:ETH/USD", "kraken:BTC/USD")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kraken:top 0 */USD by volume", "'kraken:top 0 */USD by volume' is not understood"),
        ("kraken:top 5 */USD", "'kraken:top 5 */USD' is not understood"),
        ("kraken:top 5 BTC/USD by volume", "'kraken:top 5 BTC/USD by volume' is not understood"),
        ("kraken:top 5 */GBP by volume", "kraken lists no market like '*/GBP'"),
        ("kraken:top 501 */USD by volume", "'kraken:top 501 */USD by volume' stands for more than 500 markets"),
        ("coinbase:top 5 */USD by volume", "what 'coinbase:top 5 */USD by volume' stands for cannot be known"),
    ],
)
def test_a_top_that_cannot_be_found_is_told(name: str, expected: str) -> None:
    assert said(top(name)).startswith(f"w.yaml:5:15: {expected}"), said(top(name))


def test_a_source_is_not_asked_more_than_it_allows() -> None:
    class Wide(Catalog):
        def symbols(self, source: str) -> list[str] | None:
            return ["BTC/USD", *(f"C{number}/USD" for number in range(450))]

        def requests_a_minute(self, source: str) -> float | None:
            return 80.0

    def read_wide(interval: str) -> CheckedWatchList:
        text = (
            changed(f"1h -> {interval}")
            + "  - "
            + changed(f"1h -> {interval}", "BTC oversold -> Again").split("  - ")[1]
        )
        return read_watch_list(text, file="w.yaml", catalog=Wide())

    assert read_wide("15m"), "31 a minute, however many watches read them"
    with pytest.raises(WatchListError, match=r"3:1: coinbase would be asked 90 times a minute, and allows 80"):
        read_wide("5m")


def test_a_star_that_stands_for_too_much_is_refused() -> None:
    class Huge(Catalog):
        def symbols(self, source: str) -> list[str] | None:
            return ["BTC/USD", *(f"C{number}/USD" for number in range(500))]

    with pytest.raises(WatchListError, match=r"'coinbase:\*/USD' stands for 501 markets, more than 500"):
        read_watch_list(GOOD, file="w.yaml", catalog=Huge())


def test_a_star_stands_for_spot_markets_unless_it_says_otherwise() -> None:
    class Swaps(Catalog):
        def symbols(self, source: str) -> list[str] | None:
            return ["BTC/USD", "ETH/USD", "ETH/USD:USD"]

    def markets(name: str) -> tuple[str, ...]:
        text = changed('[kraken:BTC/USD, "coinbase:*/USD"] -> ' + f'["{name}"]')
        return read_watch_list(text, file="w.yaml", catalog=Swaps()).watches[0].watch.markets

    assert markets("kraken:*/USD") == ("kraken:BTC/USD", "kraken:ETH/USD")
    assert markets("kraken:*/USD:USD") == ("kraken:ETH/USD:USD",)


def test_a_rule_is_shown_with_a_caret_at_its_place_in_the_file() -> None:
    assert said(changed("rsi(14) < 30 -> rsi(14) < 30 and rsii(7) > 1")).splitlines() == [
        "w.yaml:7:28: the rule of watch 'BTC oversold': unknown name 'rsii' — did you mean 'rsi'?",
        "    rsi(14) < 30 and rsii(7) > 1 and close < bollinger(20, 2).lower",
        "                     ^",
    ]


def test_a_rule_is_checked_even_where_the_interval_is_not_known() -> None:
    found = problems(changed("1h -> 1hr", "rsi(14) -> rsii(14)"))
    assert [one.line for one in found] == [6, 7]


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("'rsi(14) < 30 and rsii(7) > 1'", (7, 29)),
        ('"rsi(14) < 30 and rsii(7) > 1"', (7, 29)),
        (">-\n      rsi(14) < 30\n      and rsii(7) > 1", (9, 11)),
        ("|\n      rsi(14) < 30 and rsii(7) > 1\n", (8, 24)),
        ("rsi(14) < 30\n      and rsii(7) > 1", (8, 11)),
        ('"rsi(14) \\x3c 30 and\\\n      \\x20rsii(7) > 1"', (8, 11)),
    ],
)
def test_a_place_in_a_rule_is_found_however_it_is_quoted_or_folded(rule: str, place: tuple[int, int]) -> None:
    text = changed("rsi(14) < 30 and close < bollinger(20, 2).lower -> " + rule)
    (found,) = problems(text)
    assert (found.line, found.column) == place


def warned(*changes: str) -> list[str]:
    """What is warned of in a good list."""
    warnings: list[Problem] = []
    read_watch_list(changed(*changes), file="w.yaml", catalog=Catalog(), warn=warnings.append)
    return [str(one) for one in warnings]


UNTIL = "resolved: true -> resolved: true\n    until: "


def test_until_is_a_rule_whose_look_back_the_watch_needs_too() -> None:
    alone = read(changed("when: rsi(14) < 30 and close < bollinger(20, 2).lower -> when: close < sma(20)"))
    assert alone.watches[0].look_back == {"1h": 20}
    both = read(
        changed(
            "when: rsi(14) < 30 and close < bollinger(20, 2).lower -> when: close < sma(20)",
            UNTIL + 'close > sma(50) or close > sma(5, interval="1d")',
        )
    )
    assert both.watches[0].look_back == {"1h": 50, "1d": 5}


def test_a_warning_about_until_has_its_place_in_the_file() -> None:
    (warning,) = warned(UNTIL + "close > 5 or obv() > 100")
    assert warning.startswith("w.yaml:14:33: 'until' of watch 'BTC oversold': obv counts from the first candle")


def test_an_until_that_is_the_rule_itself_is_hardly_meant() -> None:
    (warning,) = warned(UNTIL + "rsi( 14 ) < 30 and close < bollinger(20, 2).lower")
    assert warning.startswith("w.yaml:14:12: 'until' of watch 'BTC oversold' is the same as its rule")


EXCLUDE = "1h -> 1h\n    exclude: "


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        ("[coinbase:ETH/USD]", ("kraken:BTC/USD", "coinbase:ADA/USD")),
        ('["coinbase:E*/USD", kraken:BTC/USD]', ("coinbase:ADA/USD",)),
        ('["coinbase:*/USD"]', ("kraken:BTC/USD",)),
    ],
)
def test_names_and_stars_are_taken_out_of_the_markets(exclude: str, left: tuple[str, ...]) -> None:
    (one,) = read(changed(EXCLUDE + exclude)).watches
    assert one.watch.markets == left
    assert one.watch.exclude == ()


def test_an_exclude_that_matches_nothing_is_warned_of() -> None:
    assert warned(EXCLUDE + '[coinbase:ETHH/USD, "kraken:*/EUR"]') == [
        "w.yaml:7:15: 'coinbase:ETHH/USD' excludes none of the markets of watch 'BTC oversold' "
        "— did you mean 'coinbase:ETH/USD'?",
        "w.yaml:7:34: 'kraken:*/EUR' excludes none of the markets of watch 'BTC oversold' "
        "— did you mean 'kraken:BTC/USD'?",
    ]


def test_a_watch_must_be_left_with_a_market() -> None:
    assert said(changed(EXCLUDE + '["coinbase:*/USD", "kraken:*/USD"]')) == (
        "w.yaml:7:14: 'exclude' of watch 'BTC oversold' leaves none of its 3 markets — exclude fewer"
    )


def test_dates_need_no_quotes_and_are_utc() -> None:
    (one,) = read(changed(EXCLUDE + "[]\n    starts: 2026-03-01\n    expires: 2026-03-01 18:30")).watches
    assert one.watch.model_dump(mode="json")["starts"] == "2026-03-01T00:00:00+00:00"
    assert one.watch.model_dump(mode="json")["expires"] == "2026-03-01T18:30:00+00:00"


def test_a_row_of_stars_is_one_star_and_does_not_take_for_ever() -> None:
    markets = ["kraken:" + "A" * 30 + "/USD", "kraken:Ax/USD"]
    assert excluded("kraken:" + "*" * 40 + "x/USD", markets) == {"kraken:Ax/USD"}
