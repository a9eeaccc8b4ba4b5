"""The rule language: a subset of Python's expressions, parsed, checked and compiled to array operations."""

from cryptowatch.rules.errors import RuleError
from cryptowatch.rules.rule import Evaluation, Rule, compile_rule, warm_up

__all__ = ["Evaluation", "Rule", "RuleError", "compile_rule", "warm_up"]
