"""The certificates that sign those of RDS's databases, which the functions check theirs against."""

import re
import ssl
from pathlib import Path

import requests

#: Where AWS publishes them, for the regions of each of its partitions.
_PLACES = {
    "us-gov-": "https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem",
    "cn-": "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem",
}
_ELSEWHERE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
#: Seconds that AWS may take to answer.
_PATIENCE_S = 20
#: Bytes above which an answer is no bundle of certificates.
_LONGEST = 2_000_000

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


class CertificatesError(RuntimeError):
    """There are no certificates to be had, or they are none of this region; one line."""


def certificates(region: str, file: Path | None = None) -> bytes:
    """RDS's certificates, from a file or from AWS by TLS, with a root for this region among them.

    Raises:
        CertificatesError: they cannot be had, or are not what they must be.
    """
    origin = str(file) if file else _place(region)
    try:
        text = file.read_text() if file else _fetched(origin)
    except (OSError, ValueError) as error:  # requests' errors are of OSError
        raise CertificatesError(
            f"the certificates of RDS cannot be read from {origin}: {str(error)[:150]}; "
            "give them as a file: --certificates FILE"
        ) from error
    return checked(text, region, origin)


def checked(text: str, region: str, origin: str) -> bytes:
    """The certificates of a text, when it holds a root for this region.

    Raises:
        CertificatesError: it holds none, or something that is no certificate.
    """
    found = _CERTIFICATE.findall(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata="\n".join(found))
    except (ssl.SSLError, ValueError) as error:
        raise CertificatesError(f"{origin} holds no certificates that can be read: {str(error)[:100]}") from error
    if not any(f"Amazon RDS {region} Root CA" in str(one["subject"]) for one in context.get_ca_certs()):
        raise CertificatesError(f"{origin} holds no root certificate of RDS for the region {region}")
    return ("\n".join(found) + "\n").encode()


def _place(region: str) -> str:
    return next((place for start, place in _PLACES.items() if region.startswith(start)), _ELSEWHERE)


def _fetched(url: str) -> str:
    answer = requests.get(url, timeout=_PATIENCE_S)
    answer.raise_for_status()
    if len(answer.content) > _LONGEST:
        raise ValueError("the answer is too long for a bundle of certificates")
    return answer.text
