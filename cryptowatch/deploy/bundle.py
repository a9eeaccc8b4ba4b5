"""The functions' bundle: our code, the wheels for Lambda, byte code, and the certificates of RDS, in one zip."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptowatch.deploy.bytecode import compile_all, interpreter
from cryptowatch.deploy.files import fingerprint, own_code, zipped
from cryptowatch.deploy.wheels import RUNTIME_PYTHON, wheels

#: Where the functions look for the certificates: at the top of the bundle.
CERTIFICATES_NAME = "rds-global-bundle.pem"
#: Bytes a bundle may have; Lambda takes 50 MB zipped and 250 MB unpacked.
LARGEST = 30_000_000


class BundleTooLargeError(RuntimeError):
    """The bundle is larger than it may be; one line."""


@dataclass(frozen=True)
class Bundle:
    """A zip that Lambda takes.

    Args:
        unpacked: bytes when unpacked.
        compiled: whether it holds byte code.
    """

    data: bytes
    unpacked: int
    compiled: bool

    @property
    def key(self) -> str:
        """Its key in the code bucket, which names its content."""
        return f"functions/{fingerprint(self.data)}.zip"


def build_bundle(
    checkout: Path, certificates: bytes, architecture: str = "x86_64", python: str = RUNTIME_PYTHON
) -> Bundle:
    """Build the bundle; the same input, and the same interpreter for its byte code, gives the same bytes.

    Args:
        checkout: the folder with pyproject.toml and requirements.txt.
        certificates: RDS's, in PEM.

    Raises:
        WheelsError: what the functions need cannot be had.
        BundleTooLargeError: it has grown over what it may have.
    """
    compiler = interpreter(python)
    with tempfile.TemporaryDirectory(prefix="bundle") as name:
        folder = Path(name)
        wheels(folder, checkout, architecture, python)
        for place, content in {**own_code(), CERTIFICATES_NAME: certificates}.items():
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return packed(folder, compiler)


def packed(folder: Path, compiler: str | None) -> Bundle:
    """The bundle of what lies in a folder, with byte code by this interpreter.

    Raises:
        BundleTooLargeError: it has grown over what it may have.
    """
    if compiler:
        compile_all(folder, compiler)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    data = zipped(files)
    if len(data) > LARGEST:
        raise BundleTooLargeError(f"the functions' bundle has {len(data):,} bytes, more than {LARGEST:,}")
    return Bundle(data, sum(map(len, files.values())), compiler is not None)
