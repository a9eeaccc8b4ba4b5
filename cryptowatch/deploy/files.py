"""The functions' own code, and zips of which the same content gives the same bytes."""

import hashlib
import importlib.util
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

#: Parts of the package that a function never imports.
_LEFT_OUT = frozenset({"cli", "deploy", "local", "indicators", "rules", "studies", "__pycache__"})
#: Zip files cannot be older; one time for all makes bundles equal.
_TIME = (1980, 1, 1, 0, 0, 0)
#: Read by everybody, and a folder is nothing by itself: Lambda runs code as a user of its own.
_MODE = 0o644


def own_code() -> dict[str, bytes]:
    """The functions' own modules, by their place in the bundle."""
    found = {}
    for package in ("cryptowatch", "lambdas"):
        root = _folder(package)
        for path in root.rglob("*"):
            inside = path.relative_to(root)
            if path.is_file() and not _LEFT_OUT.intersection(inside.parts):
                found[f"{package}/{inside.as_posix()}"] = path.read_bytes()
    return found


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files: sorted, of one time and one mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = _MODE << 16
            bundle.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def fingerprint(*parts: bytes) -> str:
    """What names this content: the first 16 digits of its SHA-256."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _folder(package: str) -> Path:
    """Where a package's modules are; it is read, not imported."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))
