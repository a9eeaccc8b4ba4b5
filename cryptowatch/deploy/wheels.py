"""What the functions need from others: the wheels for Lambda's system, whatever this one is, less what is not used.

pip chooses wheels for another platform by itself: no container and no machine of that kind is needed. What is needed
stands in pyproject.toml, the versions in requirements.txt.
"""

import importlib.metadata
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: The Python of Lambda's runtime `python3.13`, as the templates name it.
RUNTIME_PYTHON = "3.13"
#: Lambda's `Architectures` and what Python calls the machine.
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
#: Wheels for these C libraries run on Lambda's Amazon Linux 2023, whose is 2.34.
_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
#: What a function never loads of what it depends on, and why.
_UNUSED = frozenset(
    {
        # ccxt's asynchronous side, and what makes its signing faster: candles are read one call at a time, unsigned
        *("aiohttp", "aiohttp-fast-zlib", "aiohappyeyeballs", "aiosignal", "attrs", "coincurve", "frozenlist"),
        *("multidict", "propcache", "uvloop", "yarl", "zlib-ng"),
        *("click-repl", "prompt-toolkit"),  # Celery's shell
        "pycparser",  # cffi's compiler; what is compiled needs only its runtime
    }
)
#: Services that functions speak to; `rds` signs tokens for the database. boto3's data of the other 430 stays away.
_SERVICES = frozenset({"cloudwatch", "lambda", "rds", "secretsmanager", "sns", "sqs", "sts"})
#: Files that no function reads.
_UNUSED_FILES = (
    *("ccxt/async_support/*", "ccxt/pro/*", "ccxt/test/*", "ccxt/prediction/*", "ccxt/protobuf/*"),
    *("*/tests/*", "celery/contrib/testing/*", "pydantic/v1/*", "bin/*", "boto3/examples/*"),
    *("*.dist-info/RECORD", "*.dist-info/WHEEL", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED"),
    *("*.dist-info/direct_url.json", "*/__pycache__/*", "*.pyi", "*.c", "*.h", "*.pyx", "*.pxd"),
)


class WheelsError(RuntimeError):
    """What the functions need could not be had; one line."""


def wheels(folder: Path, checkout: Path, architecture: str, python: str = RUNTIME_PYTHON) -> None:
    """Put what the functions need into `folder`, as Lambda has to see it.

    Args:
        checkout: the folder with pyproject.toml and requirements.txt.
        architecture: `x86_64` or `arm64`.

    Raises:
        WheelsError: a package has no pin, no wheel, or cannot be reached.
    """
    machine = MACHINES[architecture]
    environment = _environment(machine, python)
    pins = _pins(checkout / "requirements.txt", environment)
    wanted = sorted(_closure(_roots(checkout / "pyproject.toml"), environment))
    missing = [name for name in wanted if name not in pins]
    if missing:
        raise WheelsError(f"requirements.txt pins no version of {', '.join(missing)}: run `make lock`")
    platforms = [part for name in _PLATFORMS for part in ("--platform", f"{name}_{machine}")]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-compile", "--only-binary", ":all:", "--implementation", "cp", "--python-version", python]
    command += [*platforms, "--target", str(folder), *(f"{name}=={pins[name]}" for name in wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  no shell, our words
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or [done.stderr.strip()]
        raise WheelsError(f"pip could not get the functions' packages: {said[-1][:300]}")
    _trim(folder)


def _environment(machine: str, python: str) -> dict[str, str]:
    """What markers of requirements see on Lambda."""
    return {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }


def _pins(requirements: Path, environment: dict[str, str]) -> dict[str, str]:
    """The version of each package that holds in this environment."""
    found: dict[str, str] = {}
    for line in requirements.read_text().splitlines():
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate(environment):
            found[canonicalize_name(one.name)] = next(iter(one.specifier)).version
    return found


def _roots(pyproject: Path) -> list[Requirement]:
    """What the functions need by their own word."""
    project = tomllib.loads(pyproject.read_text())["project"]
    return [Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["lambda"])]


def _closure(roots: list[Requirement], environment: dict[str, str]) -> set[str]:
    """The packages that these lead to, without those that are not used."""
    found: set[str] = set()
    waiting = roots
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name not in found and name not in _UNUSED:
            found.add(name)
            waiting += _needs(one, environment)
    return found


def _needs(parent: Requirement, environment: dict[str, str]) -> Iterator[Requirement]:
    for text in importlib.metadata.requires(parent.name) or []:
        child = Requirement(text)
        extras = ("", *parent.extras)
        if child.marker is None or any(child.marker.evaluate({**environment, "extra": one}) for one in extras):
            yield child


def _trim(folder: Path) -> None:
    """Remove what no function reads."""
    for path in sorted(folder.rglob("*"), reverse=True):
        inside = path.relative_to(folder)
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif _is_unused(inside):
            path.unlink()


def _is_unused(inside: Path) -> bool:
    parts = inside.parts
    if parts[:2] == ("botocore", "data") and len(parts) > 3 and parts[2] not in _SERVICES:
        return True
    return any(fnmatchcase(inside.as_posix(), pattern) for pattern in _UNUSED_FILES)
