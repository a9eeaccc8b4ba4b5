"""Patterns of three candles, told with decimal numbers, as they are printed."""

from decimal import Decimal

from bench.references import Reference
from bench.references.patterns import Bar, Told, fell, long, rose, rows

_STAR = Decimal("0.3")


def is_morning_star(now: list[Bar], past: list[Bar]) -> bool:
    first, star, last = now
    if not (first.black and long(first, past) and star.range > 0 and last.white and fell(past)):
        return False
    low_enough = star.body <= _STAR * first.body and star.top <= first.close + _STAR * first.body
    return low_enough and last.body > star.body and last.close >= (first.open + first.close) / 2


def is_evening_star(now: list[Bar], past: list[Bar]) -> bool:
    first, star, last = now
    if not (first.white and long(first, past) and star.range > 0 and last.black and rose(past)):
        return False
    high_enough = star.body <= _STAR * first.body and star.bottom >= first.close - _STAR * first.body
    return high_enough and last.body > star.body and last.close <= (first.open + first.close) / 2


def is_three_white_soldiers(now: list[Bar], past: list[Bar]) -> bool:
    if rose(past) or not all(bar.white and long(bar, past) for bar in now):
        return False
    if any((bar.high - bar.close) / bar.range > Decimal("0.2") for bar in now):
        return False
    return all(
        one.open <= other.open <= one.close + one.body / 10 and other.close > one.close
        for one, other in ((now[0], now[1]), (now[1], now[2]))
    )


def is_three_black_crows(now: list[Bar], past: list[Bar]) -> bool:
    if fell(past) or not all(bar.black and long(bar, past) for bar in now):
        return False
    if any((bar.close - bar.low) / bar.range > Decimal("0.2") for bar in now):
        return False
    return all(
        one.open >= other.open >= one.close - one.body / 10 and other.close < one.close
        for one, other in ((now[0], now[1]), (now[1], now[2]))
    )


TOLD: dict[tuple[str, str], tuple[Told, int]] = {
    ("morning_star", "value"): (is_morning_star, 3),
    ("evening_star", "value"): (is_evening_star, 3),
    ("three_white_soldiers", "value"): (is_three_white_soldiers, 3),
    ("three_black_crows", "value"): (is_three_black_crows, 3),
}

ROWS: list[Reference] = rows(TOLD)
