"""The functions' code as a zip: the same input gives the same bytes.

The emulator runs functions with this environment's own interpreter, so their dependencies are there already and the
bundle holds our code alone.
"""

import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path

#: Parts of the package that a function never imports.
_LEFT_OUT = frozenset({"cli", "local", "indicators", "rules", "__pycache__"})
#: Zip files cannot be older; one time for all makes bundles equal.
_TIME = (1980, 1, 1, 0, 0, 0)


def build_bundle() -> tuple[str, bytes]:
    """The bundle's key, which names its content, and its bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for package in ("cryptowatch", "lambdas"):
            root = _folder(package)
            for path in sorted(root.rglob("*")):
                inside = path.relative_to(root)
                if path.is_file() and not _LEFT_OUT.intersection(inside.parts):
                    entry = zipfile.ZipInfo(f"{root.name}/{inside.as_posix()}", _TIME)
                    entry.external_attr = 0o644 << 16
                    bundle.writestr(entry, path.read_bytes())
    data = buffer.getvalue()
    return f"functions/{hashlib.sha256(data).hexdigest()[:16]}.zip", data


def _folder(package: str) -> Path:
    """Where a package's modules are; it is read, not imported."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))
