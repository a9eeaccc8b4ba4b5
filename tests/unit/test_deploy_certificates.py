"""The certificates of RDS that go into the functions' bundle."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cryptowatch.deploy.certificates import CertificatesError, certificates


def certificate(common_name: str) -> str:
    """A root certificate of this name."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    signed = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def test_a_bundle_with_a_root_of_the_region_is_taken_and_its_remarks_are_not(tmp_path: Path) -> None:
    roots = [certificate(f"Amazon RDS {region} Root CA RSA2048 G1") for region in ("eu-central-1", "us-east-1")]
    file = tmp_path / "bundle.pem"
    file.write_text("a remark\n" + "\nanother\n".join(roots))
    assert certificates("us-east-1", file).decode() == "".join(roots)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            certificate("Amazon RDS us-east-1 Root CA RSA2048 G1"),
            "no root certificate of RDS for the region eu-central-1",
        ),
        ("<html>not found</html>", "holds no certificates that can be read"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificates that can be read"),
    ],
)
def test_what_is_no_bundle_of_the_region_is_one_clear_line(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "bundle.pem").write_text(text)
    with pytest.raises(CertificatesError, match=expected):
        certificates("eu-central-1", tmp_path / "bundle.pem")


def test_a_file_that_is_not_there_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(CertificatesError, match="--certificates FILE"):
        certificates("eu-central-1", tmp_path / "none.pem")
