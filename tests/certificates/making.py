"""Invented holders and their papers, for the tests of certificates."""

from __future__ import annotations

import io
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image, ImageDraw

from certificates.authority import Signer
from certificates.content import CertificateFacts, Paper, compose
from certificates.credential import write_credential
from certificates.layout import draw
from certificates.signing import sign

SIGNED_AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
CERTIFICATE = UUID("019ab9f0-0000-7000-8000-000000000001")
QR_TEXT = "DPC1:A QR CODE'S TEXT"


def picture(size: tuple[int, int] = (413, 579), **options: Any) -> bytes:
    """Return a generated portrait as JPEG."""
    image = Image.new("RGB", size, (238, 240, 242))
    pen = ImageDraw.Draw(image)
    width, height = size
    pen.ellipse((width * 0.3, height * 0.2, width * 0.7, height * 0.6), fill=(214, 178, 150))
    pen.ellipse((width * 0.15, height * 0.62, width * 0.85, height * 1.4), fill=(70, 90, 110))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85, **options)
    return out.getvalue()


PORTRAIT = picture()


def facts(**changes: Any) -> CertificateFacts:
    """Return the facts of an invented man of 88, physical disability of grade 1."""
    given: dict[str, Any] = {
        "name": "陈守田",
        "sex": "male",
        "ethnicity": "汉族",
        "birth_on": date(1930, 3, 5),
        "number": "51130219300305011141",
        "category": "physical",
        "grade": 1,
        "parts": (("physical", 1),),
        "address": "四川省南充市顺庆区灯台乡任家祠村三组18号",
        "telephone": "13800000000",
        "guardian_name": "",
        "guardian_telephone": "",
        "issued_on": date(2018, 6, 20),
        "valid_until": date(2028, 6, 20),
        "issuer_name": "南充市顺庆区残疾人联合会",
        "remarks": (),
        "portrait": PORTRAIT,
        "demo": True,
    }
    return CertificateFacts(**(given | changes))


MULTIPLE = {
    "category": "multiple",
    "grade": 2,
    "number": "51130219300305011172",
    "parts": (("vision", 2), ("physical", 3)),
}


def paper(**changes: Any) -> Paper:
    """Return the words of that man's certificate."""
    return compose(facts(**changes))


def drawn(**changes: Any) -> bytes:
    """Return his certificate, drawn and not signed."""
    return draw(paper(**changes), QR_TEXT)


def signed(signer: Signer, **changes: Any) -> bytes:
    """Return his certificate with its code, signed."""
    said = facts(**changes)
    code = write_credential(said, CERTIFICATE, signer.credential)
    return sign(draw(compose(said), code), signer, SIGNED_AT)


def run(*command: str | Path, data: bytes | None = None) -> str:
    """Run a PDF tool and return what it printed."""
    return run_bytes(*command, data=data).decode()


def run_bytes(*command: str | Path, data: bytes | None = None) -> bytes:
    """Run a PDF tool and return what it wrote."""
    done = subprocess.run([str(c) for c in command], input=data, capture_output=True, check=True)
    return done.stdout


def text_of(pdf: bytes) -> str:
    """Return what pdftotext reads, without spaces and line ends."""
    return "".join(run("pdftotext", "-raw", "-", "-", data=pdf).split())
