"""Loaded by Python at the emulator's start, when its PYTHONPATH names this folder.

When the emulator (ministack 1.5.33) updates a nested stack, it keeps of each resource only the attributes that the
update told, so the next `GetAtt` of it fails. Here it remembers the ones it knew.
"""

from typing import Any

from ministack.services.cloudformation import provisioners

_known: dict[tuple[str, str], dict[str, Any]] = {}
_provision, _update = provisioners._provision_resource, provisioners._update_resource


def provision(kind: str, logical_id: str, properties: Any, stack: str, *more: Any) -> tuple[str, Any]:
    made, attributes = _provision(kind, logical_id, properties, stack, *more)
    _known[stack, logical_id] = dict(attributes or {})
    return made, attributes


def update(kind: str, made: str, old: Any, new: Any, stack: str, logical_id: str, *more: Any) -> tuple[str, Any]:
    now_made, attributes = _update(kind, made, old, new, stack, logical_id, *more)
    _known[stack, logical_id] = _known.get((stack, logical_id), {}) | (attributes or {})
    return now_made, _known[stack, logical_id]


provisioners._provision_resource, provisioners._update_resource = provision, update
