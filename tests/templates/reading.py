"""The templates as data, and ways to look into them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

FOLDER = Path(__file__).resolve().parents[2] / "cloudformation"
TEMPLATES: dict[str, dict[str, Any]] = {path.stem: load(str(path)) for path in sorted(FOLDER.glob("*.yaml"))}
ROOT = TEMPLATES["crypto-watch"]


def resources(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and definition of every resource of this type, in all templates."""
    for template in TEMPLATES.values():
        for name, resource in template["Resources"].items():
            if resource["Type"] == kind:
                yield name, resource


def properties(kind: str) -> dict[str, dict[str, Any]]:
    """Properties of every resource of this type, by name."""
    return {name: resource["Properties"] for name, resource in resources(kind)}


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy that grants a role something, with the role's name."""
    for name, role in resources("AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
    for _, policy in resources("AWS::IAM::Policy"):
        for role in policy["Properties"]["Roles"]:
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                yield role["Ref"], statement


def as_list(value: Any) -> list[Any]:
    """What may be written as one or as many, as many."""
    return list(value) if isinstance(value, list) else [value]
