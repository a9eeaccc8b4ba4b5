"""Byte code for the functions: Lambda's folder is read only, so without it every cold start compiles anew (0.7 s).

It is good for one minor version of Python only, so an interpreter of Lambda's version makes it: this one, or another
one found here. Where there is none the bundle goes without.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Exchanges are compiled at their first use (0.02 to 0.15 s): all hundred would be 3.5 MB of the bundle.
_EXCHANGES = r"ccxt/[^/]+\.py$"
#: Where version managers keep interpreters, in the home folder.
_KEPT = (".pyenv/versions/{version}.*/bin/python", ".local/share/uv/python/cpython-{version}.*/bin/python")


def interpreter(version: str) -> str | None:
    """An interpreter of this minor version, like `3.13`; None when none is found."""
    found = [sys.executable, shutil.which(f"python{version}")]
    found += [str(path) for one in _KEPT for path in sorted(Path.home().glob(one.format(version=version)))]
    return next((one for one in found if one and _version(one) == version), None)


def _version(executable: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def compile_all(folder: Path, executable: str) -> None:
    """Write byte code beside every module, for the time when nobody can: it is trusted, not compared with its source.

    The same sources give the same bytes: one process, and no random order of sets.
    """
    command = [executable, "-I", "-m", "compileall", "-q", "-x", _EXCHANGES]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    # A file of a package that is no module for this version stays as it is: the exit code says nothing.
    subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603
