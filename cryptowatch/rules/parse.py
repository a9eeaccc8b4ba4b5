"""Rule text to a Python expression tree, never evaluated: `ast.parse` and limits that make a hostile rule cheap."""

import ast
import re
import warnings

from cryptowatch.rules.errors import RuleError

#: Characters a rule may have.
LONGEST_TEXT = 2000
#: Nodes its tree may have, and how deep it may go.
MOST_NODES = 400
DEEPEST = 40

_COMPARE = "compare with < > <= >="
#: Habits from other languages.
_HABIT = re.compile(r"&&|\|\||!(?!=)|\b(AND|OR|NOT|And|Or|Not)\b")
_INSTEAD = {"&&": "write and", "||": "write or", "!": "write not"}


def parse(text: str) -> ast.expr:
    """The tree of a rule; `offset_of` tells where in the text its nodes are.

    Raises:
        RuleError: too long, too deep, or not an expression of Python's grammar.
    """
    if len(text) > LONGEST_TEXT:
        raise RuleError(f"a rule has at most {LONGEST_TEXT} characters, this one {len(text)}", text)
    if not text.strip():
        raise RuleError("the rule is empty", text, hint="write a condition, like rsi(14) < 30")
    try:
        call = _python(_as_argument(text))
    except SyntaxError as error:
        raise _syntax_error(error, text) from None
    except (RecursionError, MemoryError, ValueError):
        raise RuleError("the rule cannot be read", text, hint="write it simpler") from None
    tree = _only_argument(call, text)
    check_size(tree, text)
    return tree


def _python(text: str) -> ast.expr:
    with warnings.catch_warnings():
        # What Python finds odd in a rule (`1if`, `\\d`) is not for the eyes of those who write or run it.
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body


def offset_of(node: ast.AST, text: str) -> int:
    """Characters from the start of `text` to where a node of its tree starts."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    lines = _as_argument(text).split("\n")
    # ast counts columns in UTF-8 bytes.
    characters = len(lines[line - 1].encode()[:column].decode(errors="ignore"))
    return sum(len(one) + 1 for one in lines[: line - 1]) + characters - 2


def _as_argument(text: str) -> str:
    """The text as the argument of a call, so that it may go over several lines and end in a comment."""
    return "_(" + text.replace("\r", " ") + "\n)"


def _only_argument(call: ast.expr, text: str) -> ast.expr:
    # `a) or _(b` has brackets that fit only together with ours: the outermost node is then another one.
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.col_offset == 0):
        raise RuleError("this bracket was never opened", text, _unmatched(text) or 0)
    if call.keywords:
        first = call.keywords[0]
        raise RuleError("a rule assigns nothing", text, _equals_sign(text, offset_of(first, text)), _COMPARE)
    if len(call.args) > 1:
        offset = offset_of(call.args[1], text)
        raise RuleError(
            "a rule is one condition, with no comma in it", text, offset, "join with and, or; write 1000, not 1,000"
        )
    if not call.args:
        raise RuleError("the rule is empty", text, hint="write a condition, like rsi(14) < 30")
    return call.args[0]


def _syntax_error(error: SyntaxError, text: str) -> RuleError:
    unmatched = _unmatched(text)
    if unmatched is not None:
        what = "never closed" if text[unmatched] in "([{" else "never opened"
        return RuleError(f"this bracket was {what}", text, unmatched)
    offset = _error_offset(error, text)
    if "==" in str(error.msg):
        return RuleError("a rule assigns nothing", text, _equals_sign(text, offset), _COMPARE)
    if offset >= len(text.rstrip()):
        return RuleError("the rule ends too early", text, len(text.rstrip()))
    habit = _HABIT.search(text, max(0, offset - 1))
    if habit:
        hint = _INSTEAD.get(habit[0], f"write {habit[0].lower()}, in small letters")
        return RuleError("this is not an expression", text, habit.start(), hint)
    return RuleError("this is not an expression", text, offset)


def _error_offset(error: SyntaxError, text: str) -> int:
    if "comma" in str(error.msg) and "#" not in text:
        # Inside brackets Python points at the whole of `a b`, outside of them at b.
        bare = text.replace("\n", " ").replace("\r", " ")
        indent = len(bare) - len(bare.lstrip())
        try:
            _python(bare.strip())
        except SyntaxError as outside:
            return indent + (outside.offset or 1) - 1
    lines = _as_argument(text).split("\n")
    line, column = min(error.lineno or 1, len(lines)), error.offset or 1
    return max(0, sum(len(one) + 1 for one in lines[: line - 1]) + column - 1 - 2)


def _equals_sign(text: str, offset: int) -> int:
    found = re.compile(r"(?<![<>=!])=(?!=)").search(text, offset)
    return found.start() if found else offset


def _unmatched(text: str) -> int | None:
    """Where the first bracket is that has no other half; None when there is none. Quotes and comments are skipped."""
    opened: list[int] = []
    for part in re.finditer(r"""'[^'\n]*'|"[^"\n]*"|\#[^\n]*|[][(){}]""", text):
        if part[0] in "([{":
            opened.append(part.start())
        elif part[0] in ")]}" and (not opened or text[opened.pop()] + part[0] not in ("()", "[]", "{}")):
            return part.start()
    return opened[-1] if opened else None


def check_size(tree: ast.expr, text: str) -> None:
    """See that a tree is small enough to be cheap.

    Raises:
        RuleError: it has too many parts, or is too deep.
    """
    nodes = 0
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        nodes += len(level)
        if nodes > MOST_NODES:
            raise RuleError(f"the rule has more than {MOST_NODES} parts", text, hint="split it into two watches")
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise RuleError(f"the rule is nested more than {DEEPEST} deep", text, hint="write it simpler")
