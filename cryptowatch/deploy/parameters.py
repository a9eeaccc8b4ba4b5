"""The root template's parameters, and what a user may set them to: checked before anything is made."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cryptowatch.watches.problem import did_you_mean

#: What the deploy sets by itself.
OWN = frozenset({"CodeBucket", "CodeKey", "TemplatePrefix"})


class ParameterError(ValueError):
    """A parameter is not the template's, or not of its form; one line."""


class _Loader(yaml.SafeLoader):
    """Reads a template without caring for what its functions (`!Sub`, `!If`) mean."""


def _function(loader: Any, suffix: str, node: yaml.Node) -> None:
    """What a function gives is not known here."""


_Loader.add_multi_constructor("!", _function)


@dataclass(frozen=True)
class Template:
    """What the root template says of its parameters.

    Args:
        parameters: their definitions, by name.
        labels: each as a question.
    """

    parameters: Mapping[str, Mapping[str, Any]]
    labels: Mapping[str, str]

    def checked(self, settings: Iterable[str]) -> dict[str, str]:
        """The parameters of `NAME=VALUE` texts.

        Raises:
            ParameterError: one is not the template's, or not of its form.
        """
        found: dict[str, str] = {}
        for text in settings:
            name, equals, value = text.partition("=")
            if not equals:
                raise ParameterError(f"--set {text}: write it as NAME=VALUE")
            if name in OWN - {"CodeBucket"}:
                raise ParameterError(f"--set {name}: this is set by the deploy itself")
            if name not in self.parameters:
                near = did_you_mean(name, sorted(set(self.parameters) - OWN))
                raise ParameterError(f"--set {name}: the template has no such parameter; {near}")
            if name in found:
                raise ParameterError(f"--set {name}: it is given twice")
            _check(name, value, self.parameters[name], self.labels.get(name, ""))
            found[name] = value
        return found

    def whole(self, *settings: Mapping[str, str]) -> dict[str, str]:
        """All parameters: the template's defaults, and what is set instead; the last word counts."""
        defaults = {name: str(one["Default"]) for name, one in self.parameters.items() if "Default" in one}
        return {**defaults, **{name: value for one in settings for name, value in one.items()}}


def read_template(path: Path) -> Template:
    """The parameters of a root template."""
    data = yaml.load(path.read_text(), _Loader)  # noqa: S506  a SafeLoader that skips functions
    labels = data["Metadata"]["AWS::CloudFormation::Interface"]["ParameterLabels"]
    return Template(data["Parameters"], {name: str(one["default"]) for name, one in labels.items()})


def _check(name: str, value: str, definition: Mapping[str, Any], label: str) -> None:
    wanted = _wanted(value, definition)
    if wanted:
        question = f" ({label})" if label else ""
        raise ParameterError(f"--set {name}={value}: it must be {wanted}{question}")


def _wanted(value: str, definition: Mapping[str, Any]) -> str | None:
    """What it must be when it is not; None when it is."""
    allowed = [str(one) for one in definition.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"one of {', '.join(allowed)}"
    if "AllowedPattern" in definition and not re.fullmatch(definition["AllowedPattern"], value):
        return f"of the form {definition['AllowedPattern']}"
    if definition["Type"] == "Number":
        try:
            number = float(value)
        except ValueError:
            return "a number"
        least, most = definition.get("MinValue"), definition.get("MaxValue")
        if not (least is None or number >= least) or not (most is None or number <= most):
            return f"a number from {least}" + ("" if most is None else f" to {most}")
    return None
