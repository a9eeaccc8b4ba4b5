"""The rule language: a subset of Python's expressions, parsed, checked and compiled to array operations."""

from cryptowatch.rules.errors import RuleError, RuleWarning, excerpt
from cryptowatch.rules.evaluate import Memo
from cryptowatch.rules.rule import Evaluation, Rule, compile_rule, warm_up

__all__ = ["Evaluation", "Memo", "Rule", "RuleError", "RuleWarning", "compile_rule", "excerpt", "warm_up"]
