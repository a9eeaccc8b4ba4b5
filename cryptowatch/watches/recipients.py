"""Checking the recipients of a list: a name each, and an address, or an address with when to be told what."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cryptowatch.watches.complaints import shown, tell_inside
from cryptowatch.watches.delivery import DeliverySettings, QuietHoursForm
from cryptowatch.watches.findings import Findings
from cryptowatch.watches.form import RecipientForm
from cryptowatch.watches.one_watch import NAME_HINT
from cryptowatch.watches.values import Email, RecipientName

_NAME = TypeAdapter(RecipientName)
_ADDRESS = TypeAdapter(Email)


def check_recipients(section: Mapping[str, Any], findings: Findings) -> dict[str, RecipientForm]:
    """Those that are well formed, by name; `findings` is told of every problem."""
    found: dict[str, RecipientForm] = {}
    owners: dict[str, str] = {}
    for name, value in section.items():
        path = ("recipients", name)
        try:
            _NAME.validate_python(name)
        except ValidationError:
            findings.key(path, f"{name!r} is not a name for a recipient", NAME_HINT)
        form = _form(name, value, findings)
        if form is None:
            continue
        found[name] = form
        owner = owners.setdefault(form.email.lower(), name)
        if owner != name:
            text = f"recipient {name!r} has the address of {owner!r}"
            findings.value(path, text, "one address, one recipient")
    return found


def settings_of(recipients: Mapping[str, RecipientForm]) -> dict[str, DeliverySettings]:
    """What those say beyond their address who say anything."""
    said = {name: DeliverySettings(**dict(_without_address(form))) for name, form in recipients.items()}
    return {name: settings for name, settings in said.items() if settings != DeliverySettings()}


def _without_address(form: RecipientForm) -> dict[str, Any]:
    return {name: getattr(form, name) for name in DeliverySettings.model_fields}


def _form(name: str, value: object, findings: Findings) -> RecipientForm | None:
    path, label = ("recipients", name), f"recipient {name!r}"
    if value is None:
        findings.key(path, f"{label} has no address", "add one")
    elif isinstance(value, dict):
        return _mapping(value, path, label, findings)
    else:
        try:
            return RecipientForm(email=_ADDRESS.validate_python(value))
        except ValidationError:
            text = f"the address of {label} is malformed: {shown(value)}"
            findings.value(path, text, "write it like you@example.com")
    return None


def _mapping(value: dict[str, Any], path: tuple[str, str], label: str, findings: Findings) -> RecipientForm | None:
    try:
        return RecipientForm.model_validate(value)
    except ValidationError as error:
        for one in error.errors():
            tell_inside(findings, path, label, one, {(): RecipientForm, ("quiet_hours",): QuietHoursForm})
    return None
