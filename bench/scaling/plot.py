"""Two kinds of chart as SVG text: lines over time, and bars on a logarithmic scale."""

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, TOP = 720, 300, 60, 40
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#7f7f7f")


def lines(title: str, unit: str, series: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> str:
    """Lines over hours; each a name and its points (seconds, value)."""
    end = max(at for _, points in series for at, _ in points)
    top = max(1.0, max(value for _, points in series for _, value in points))
    parts = [_text(LEFT, 20, title), *_axis([(value, value / top) for value in _steps(top)], unit)]
    for hour in range(int(end // 3600) + 1):
        parts.append(_text(LEFT + hour * 3600 / end * _inner(), HEIGHT - 8, f"{hour} h", "middle"))
    for number, (name, points) in enumerate(series):
        colour = COLOURS[number]
        path = " ".join(f"{LEFT + at / end * _inner():.1f},{_y(value / top):.1f}" for at, value in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(_legend(number, name))
    return _svg(parts, len(series))


def bars(title: str, unit: str, groups: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> str:
    """Groups of bars, the same names in each, on a logarithmic scale from 0.1 on."""
    most = max(value for _, group in groups for _, value in group)
    decades = max(1, math.ceil(math.log10(most))) + 1
    parts = [_text(LEFT, 20, title)]
    parts += _axis([(10.0 ** (number - 1), number / decades) for number in range(decades + 1)], unit)
    room = _inner() / len(groups)
    for number, (label, group) in enumerate(groups):
        wide = room * 0.8 / len(group)
        for place, (_, value) in enumerate(group):
            x = LEFT + number * room + room * 0.1 + place * wide
            share = max(0.005, (math.log10(max(value, 0.1)) + 1) / decades)
            parts.append(
                f'<rect x="{x:.1f}" y="{_y(share):.1f}" width="{wide - 2:.1f}" '
                f'height="{_y(0) - _y(share):.1f}" fill="{COLOURS[place]}"/>'
            )
        parts.append(_text(LEFT + (number + 0.5) * room, HEIGHT - 8, label, "middle"))
    for place, (name, _) in enumerate(groups[0][1]):
        parts.append(_legend(place, name))
    return _svg(parts, len(groups[0][1]))


def _inner() -> float:
    return WIDTH - LEFT - 10


def _y(share: float) -> float:
    return HEIGHT - 25 - share * (HEIGHT - 25 - TOP)


def _steps(top: float) -> list[float]:
    step = 10 ** math.floor(math.log10(top))
    step = step if top / step >= 3 else step / 2
    return [number * step for number in range(int(top / step) + 1)]


def _axis(ticks: Sequence[tuple[float, float]], unit: str) -> list[str]:
    parts = [_text(LEFT, TOP - 6, unit, colour="#555")]
    for value, share in ticks:
        y = _y(share)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{value:,g}", "end", "#555"))
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'


def _legend(number: int, name: str) -> str:
    """The name of a series, below the chart."""
    return _text(LEFT + 10, HEIGHT + 14 * (number + 1), name, colour=COLOURS[number])


def _svg(parts: Sequence[str], names: int) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + 14 * names + 10}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
    )
    return "\n".join([head, *parts, "</svg>", ""])
