"""The functions' bundle, built as a deploy builds it: by pip, for Lambda's system."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cryptowatch.deploy.bundle import CERTIFICATES_NAME, LARGEST, Bundle, build_bundle, packed
from cryptowatch.deploy.bytecode import interpreter
from cryptowatch.deploy.wheels import RUNTIME_PYTHON

CHECKOUT = Path(__file__).resolve().parents[2]
HANDLERS = ("dispatch", "ingest", "sweep", "notify", "control")
#: Lambda's Python where it is here, else this one: the rest of the bundle is the same.
PYTHON = RUNTIME_PYTHON if interpreter(RUNTIME_PYTHON) else "{}.{}".format(*sys.version_info)
#: What a handler's process may take to import it, of one processor.
IMPORT_S = 0.6


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return build_bundle(CHECKOUT, b"certificates\n", python=PYTHON)


@pytest.fixture(scope="module")
def unpacked(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    (folder / "bundle.zip").write_bytes(bundle.data)
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        archive.extractall(folder / "task")
    return folder / "task"


def run(folder: Path, code: str) -> str:
    """Run code in a process that sees the standard library and the bundle, and may write neither."""
    command = [interpreter(PYTHON) or "", "-ISB", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"]
    done = subprocess.run(
        command, env={"AWS_DEFAULT_REGION": "eu-central-1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_same_input_gives_the_same_bytes_at_another_time_and_place(unpacked: Path, tmp_path: Path) -> None:
    """Of a part that is compiled in seconds; pip unpacks the same wheels everywhere."""
    bundles = []
    for name in ("here", "elsewhere"):
        for package in ("lambdas", "cryptowatch", "celery", "pydantic"):
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(
                unpacked / package, tmp_path / name / package, ignore=without, copy_function=shutil.copyfile
            )
        bundles.append(packed(tmp_path / name, interpreter(PYTHON)))
    assert bundles[0] == bundles[1]
    assert bundles[0].compiled


def test_a_bundle_is_small(bundle: Bundle) -> None:
    assert len(bundle.data) <= LARGEST == 30_000_000
    assert bundle.compiled


@pytest.mark.parametrize("handler", HANDLERS)
def test_each_handler_is_imported_from_nothing_but_the_bundle_and_soon(unpacked: Path, handler: str) -> None:
    code = (
        f"import time; import lambdas.{handler} as module; assert callable(module.handler); print(time.process_time());"
        f"print([name for name, one in sys.modules.items() if 'site-packages' in str(getattr(one, '__file__', ''))])"
    )
    tries = [run(unpacked, code).splitlines() for _ in range(2)]
    assert {outside for _, outside in tries} == {"[]"}
    assert min(float(seconds) for seconds, _ in tries) <= IMPORT_S


def test_an_exchange_a_token_for_the_database_and_a_queue_work_from_the_bundle(unpacked: Path) -> None:
    code = (
        "from cryptowatch.sources.registry import open_source; print(open_source('kraken').name);"
        "import boto3; rds = boto3.client('rds', aws_access_key_id='x', aws_secret_access_key='x');"
        "print(len(rds.generate_db_auth_token('h', 5432, 'u')) > 100);"
        "from cryptowatch.queues import celery_app; app = celery_app({'q': 'https://sqs.x/1/q'});"
        "print(app.connection_for_write().transport.driver_type)"
    )
    assert run(unpacked, code).split() == ["kraken", "True", "sqs"]


def test_what_no_function_needs_is_not_there(unpacked: Path) -> None:
    assert (unpacked / CERTIFICATES_NAME).read_text() == "certificates\n"
    gone = ["numpy", "numba", "pandas", "aiohttp", "ccxt/async_support", "botocore/data/ec2", "cryptowatch/rules"]
    assert [name for name in gone if (unpacked / name).exists()] == []
