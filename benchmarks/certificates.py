"""Certificates a second and core, beside what one would write first, in the same run.

`python -m benchmarks.certificates [--count 400] [--memory 10000]` prints a table of CPU
milliseconds per certificate (one process, one thread, medians), split into code, drawing,
signature and storage; then the memory of a process that makes ten thousand.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import io
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import segno
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, fields, sign_pdf
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from certificates import filling, storage
from certificates.authority import Signer, load_signer, load_trust
from certificates.content import CertificateFacts, Paper, compose
from certificates.credential import write_credential
from certificates.examination import Verdict, examine
from certificates.founding import Names, create_authority
from certificates.keys import read_private
from certificates.layout import press
from certificates.signing import sign
from certificates.typeface import chains
from outreach.files import local_files
from tests.certificates import making

GOAL, AIM, NAIVE = 150, 300, "reportlab + pyHanko P-256"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂淑华建国玉梅守田德贵福清"


@dataclass
class Case:
    """One certificate to make."""

    facts: CertificateFacts
    paper: Paper


@dataclass
class Taken:
    """CPU seconds of each part, one entry per certificate."""

    parts: dict[str, list[float]] = field(default_factory=dict)

    def part(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Measure a block as one part of a certificate."""
        return self._measure(name)

    @contextlib.contextmanager
    def _measure(self, name: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        self.parts.setdefault(name, []).append(time.thread_time() - began)

    def milliseconds(self, name: str) -> float:
        """Return the median of a part, 0 where there was none."""
        return 1000 * statistics.median(self.parts.get(name, [0.0]))

    @property
    def total(self) -> float:
        """Return the milliseconds of all parts together."""
        return sum(map(self.milliseconds, self.parts))


def cases(count: int) -> Iterator[Case]:
    """Invent holders, seeded."""
    random = Random(2018)
    for number in range(count):
        facts = making.facts(
            name=random.choice(SURNAMES) + "".join(random.sample(GIVEN, random.choice((1, 2)))),
            address=f"四川省南充市顺庆区{random.choice(SURNAMES)}家乡"
            f"{random.choice(GIVEN)}{random.choice(SURNAMES)}村{number % 9 + 1}组{number}号",
            telephone=f"138{random.randrange(10**8):08d}",
        )
        yield Case(facts, compose(facts))


# ---- the ways


class Ours:
    """Kept keys, one template an issuer, DER by hand."""

    name = "ours (PDF/A-2a, PDF/UA-1, P-256)"

    def __init__(self, signer: Signer, folder: Path) -> None:
        self.signer, self.folder, self.press = signer, folder, press()

    def make(self, case: Case, taken: Taken) -> bytes:
        """Make one certificate as `certificates.actions.issue` does."""
        with taken.part("code"):
            code = write_credential(case.facts, uuid4(), self.signer.credential)
            filling._code(code)
        began = time.thread_time()
        filling._code(code)
        twice = time.thread_time() - began  # drawn within the page again: counted once
        with taken.part("draw"):
            drawn = self.press.draw(case.paper, code)
        taken.parts["draw"][-1] -= twice
        with taken.part("sign"):
            signed = sign(drawn, self.signer, datetime.now(UTC))
        with taken.part("store"):
            storage.keep(signed, local_files(self.folder))
        return signed


class Naive:
    """reportlab with its font kept open, then pyHanko's SimpleSigner: untagged, no archive."""

    name = NAIVE

    def __init__(self, signer: SimpleSigner, folder: Path) -> None:
        self.signer, self.folder = signer, folder
        pdfmetrics.registerFont(TTFont("Noto", str(chains()[0].main.path)))

    def make(self, case: Case, taken: Taken) -> bytes:
        """Draw the same words with the obvious calls."""
        with taken.part("code"):
            code = io.BytesIO()
            segno.make(making.QR_TEXT * 12, error="m").save(code, kind="png", scale=4)
        with taken.part("draw"):
            drawn = self._draw(case, code)
        return _signed_and_stored(drawn, self.signer, self.folder, taken)

    def _draw(self, case: Case, code: io.BytesIO) -> bytes:
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=A4)
        canvas.setFont("Noto", 24)
        canvas.drawString(66, 740, "残疾人证 Disability Certificate")
        y = 690
        for entry in case.paper.fields:
            canvas.setFont("Noto", 9)
            canvas.drawString(66, y, f"{entry.label.chinese} {entry.label.english}")
            canvas.setFont("Noto", 13)
            canvas.drawString(200, y, f"{entry.value.chinese} {entry.value.english}")
            y -= 30
        canvas.drawString(318, 240, case.paper.issuer)
        canvas.drawImage(ImageReader(io.BytesIO(case.paper.portrait)), 430, 560, 99, 139)
        canvas.drawImage(ImageReader(code), 66, 134, 108, 108)
        canvas.setStrokeColorRGB(0.8, 0.1, 0.1)
        canvas.circle(468, 183, 58)
        canvas.save()
        return out.getvalue()


class Weasy:
    """WeasyPrint from HTML, then pyHanko's SimpleSigner."""

    name = "WeasyPrint + pyHanko P-256"

    def __init__(self, signer: SimpleSigner, folder: Path) -> None:
        from weasyprint import HTML
        from weasyprint.text.fonts import FontConfiguration

        self.signer, self.folder = signer, folder
        self.html, self.fonts = HTML, FontConfiguration()

    def make(self, case: Case, taken: Taken) -> bytes:
        """Lay the same words out as HTML."""
        with taken.part("code"):
            code = segno.make(making.QR_TEXT * 12, error="m").svg_data_uri(scale=4)
        with taken.part("draw"):
            portrait = base64.b64encode(case.paper.portrait).decode()
            rows = "".join(
                f"<tr><th>{e.label.chinese} {e.label.english}</th>"
                f"<td>{e.value.chinese} {e.value.english}</td></tr>"
                for e in case.paper.fields
            )
            page = (
                "<html lang='zh-CN'><style>@page{size:A4}body{font-family:'Noto Sans CJK SC'}"
                "</style><h1>残疾人证</h1>"
                f"<img src='data:image/jpeg;base64,{portrait}' width='130'>"
                f"<table>{rows}</table><p>{case.paper.issuer}</p><img src='{code}' width='140'>"
            )
            drawn = self.html(string=page).write_pdf(font_config=self.fonts)
        return _signed_and_stored(drawn, self.signer, self.folder, taken)


def _signed_and_stored(drawn: bytes, signer: SimpleSigner, folder: Path, taken: Taken) -> bytes:
    with taken.part("sign"):
        metadata = PdfSignatureMetadata(
            field_name="Signature",
            certify=True,
            subfilter=fields.SigSeedSubFilter.PADES,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        )
        writer = IncrementalPdfFileWriter(io.BytesIO(drawn))
        signed = sign_pdf(writer, metadata, signer=signer).getvalue()
    with taken.part("store"):
        storage.keep(signed, local_files(folder))
    return bytes(signed)


class Floor:
    """The least that any signed file costs: hash its bytes, sign the hash."""

    name = "floor: SHA-256 + raw P-256 signature"

    def __init__(self, signer: Signer, size: int) -> None:
        self.signer, self.bytes = signer, os.urandom(size)

    def make(self, _case: Case, taken: Taken) -> bytes:
        """Hash and sign."""
        with taken.part("sign"):
            self.signer.key.sign(hashlib.sha256(self.bytes).digest())
        return b""


# ---- the run


def run(ways: list[Any], count: int) -> dict[str, Taken]:
    """Make certificates in every way, turn by turn, so that a noisy minute strikes all."""
    taken = {way.name: Taken() for way in ways}
    for number, case in enumerate(cases(count)):
        for way in ways:
            if number < 5:
                way.make(case, Taken())  # fonts, templates, caches
            elif number % way.every == 0:
                way.make(case, taken[way.name])
    return taken


def report(taken: dict[str, Taken]) -> None:
    """Print the table and the ratios."""
    parts = ("code", "draw", "sign", "store")
    print(
        f"{'CPU ms per certificate':38}{''.join(f'{p:>8}' for p in parts)}   total  per s and core"
    )
    for name, one in taken.items():
        columns = "".join(f"{one.milliseconds(part):8.2f}" for part in parts)
        print(f"{name:38}{columns}{one.total:8.2f}{1000 / one.total:12.0f}")
    ours, naive = taken[Ours.name].total, taken[NAIVE].total
    print(f"\nours beside {NAIVE}: {naive / ours:.1f} times as many")
    shares = f"{GOAL / 19:.1f} times, the aim of {AIM} {AIM / 19:.1f}"
    print(f"the goal of {GOAL} beside about 19 is {shares}")


def memory(maker: Ours, count: int) -> None:
    """Print the resident size while one process makes `count` certificates."""
    began, cpu, sizes = time.monotonic(), time.process_time(), {}
    for number, case in enumerate(cases(count), start=1):
        maker.make(case, Taken())
        if number in (count // 10, count // 2, count):
            sizes[number] = _resident()
    lines = ", ".join(f"{size / 2**20:.1f} MB after {n:,}" for n, size in sizes.items())
    spent = time.process_time() - cpu
    print(f"\nmemory: {lines}; peak {_peak() / 2**20:.1f} MB")
    print(f"{count:,} in {time.monotonic() - began:.0f} s, {spent:.0f} s of CPU (code image twice)")


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure, and check that what was measured is what is issued."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--memory", type=int, default=10_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = folder / "keys"
        names = Names("南充市顺庆区残疾人联合会", demo=True)
        create_authority(keys, names, at=datetime.now(UTC) - timedelta(hours=1))
        signer, simple = load_signer(keys), simple_signer(keys)
        ours = Ours(signer, folder)
        one = ours.make(next(cases(1)), Taken())
        assert examine(one, load_trust(keys)).verdict == Verdict.INTACT
        ways: list[Any] = [ours, Naive(simple, folder), Weasy(simple, folder)]
        ways.append(Floor(signer, len(one)))
        for way, every in zip(ways, (1, 4, 8, 1), strict=True):
            way.every = every
        report(run(ways, chosen.count))
        if chosen.memory:
            memory(ours, chosen.memory)


def simple_signer(keys: Path) -> SimpleSigner:
    """Load the same key the way pyHanko's documentation does."""
    key = keys / "simple.pem"
    key.write_bytes(
        read_private(keys / "signer.key.pem").private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    chain = (str(keys / "root.crt.pem"),)
    return SimpleSigner.load(str(key), str(keys / "signer.crt.pem"), ca_chain_files=chain)


if __name__ == "__main__":
    main()
