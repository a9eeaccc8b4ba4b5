"""Rule text to a Python expression tree, never evaluated: `ast.parse` and limits that make a hostile rule cheap."""

import ast

from cryptowatch.rules.errors import RuleError

#: Characters a rule may have.
LONGEST_TEXT = 2000
#: Nodes its tree may have, and how deep it may go.
MOST_NODES = 400
DEEPEST = 40


def parse(text: str) -> ast.expr:
    """The tree of a rule; positions in it are those of `strip_rule(text)`'s one line.

    Raises:
        RuleError: too long, too deep, or not an expression of Python's grammar.
    """
    if len(text) > LONGEST_TEXT:
        raise RuleError(f"a rule has at most {LONGEST_TEXT} characters, this one {len(text)}", text)
    if not text.strip():
        raise RuleError("the rule is empty", text, hint="write a condition, like rsi(14) < 30")
    try:
        # In brackets, so that a rule may go over several lines; the bracket is taken off the positions again.
        tree = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError as error:
        raise RuleError(*_syntax_error(error, text)) from None
    except (RecursionError, MemoryError, ValueError):
        raise RuleError("the rule cannot be read", text, hint="write it simpler") from None
    _check_size(tree, text)
    return tree


def offset_of(node: ast.AST, text: str) -> int:
    """Characters from the start of `text` to where a node of its tree starts."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    lines = f"({text}\n)".split("\n")
    # ast counts columns in UTF-8 bytes.
    characters = len(lines[line - 1].encode()[:column].decode(errors="ignore"))
    return sum(len(one) + 1 for one in lines[: line - 1]) + characters - 1


def _syntax_error(error: SyntaxError, text: str) -> tuple[str, str, int, str]:
    line, column = error.lineno or 1, error.offset or 1
    lines = f"({text}\n)".split("\n")
    before = sum(len(one) + 1 for one in lines[: line - 1])
    offset = min(before + column - 2, len(text.rstrip()))
    hint = ""
    if (offset < len(text) and text[offset] == "=") or "Maybe you meant '=='" in str(error.msg):
        hint = "compare with < > <= >="
    message = "the rule ends too early" if offset >= len(text.rstrip()) else "this is not an expression"
    return message, text, offset, hint


def _check_size(tree: ast.expr, text: str) -> None:
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
