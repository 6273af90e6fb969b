"""PDF syntax: objects, streams, the cross-reference table (ISO 32000-1, clause 7)."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
"""Four bytes above 127 mark the file as binary (ISO 19005-2, 6.1.2)."""

AddObject = Callable[[bytes], int]


def stream(data: bytes, entries: str = "", *, compress: bool = True) -> bytes:
    """Write a stream object with an end-of-line before `endstream` (ISO 19005-2, 6.1.7.1)."""
    if compress:
        data, entries = zlib.compress(data, 6), f"/Filter/FlateDecode{entries}"
    return f"<<{entries}/Length {len(data)}>>\nstream\n".encode() + data + b"\nendstream"


def text_string(text: str) -> str:
    """Write a text string as UTF-16BE in hexadecimal (7.9.2.2)."""
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"


def number(value: float) -> str:
    """Write a number with at most three decimals, never in exponent form (7.3.3)."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


@dataclass(slots=True)
class ObjectFile:
    """A PDF file under construction; object numbers count from 1 in order of reservation."""

    body: bytearray = field(default_factory=lambda: bytearray(HEADER))
    offsets: list[int] = field(default_factory=lambda: [0])

    def copy(self) -> "ObjectFile":
        """Start a new file from everything written so far."""
        return ObjectFile(bytearray(self.body), list(self.offsets))

    def reserve(self) -> int:
        """Return a fresh object number, to be written later."""
        self.offsets.append(0)
        return len(self.offsets) - 1

    def put(self, reference: int, content: bytes) -> int:
        """Write the object of a reserved number."""
        self.offsets[reference] = len(self.body)
        self.body += b"%d 0 obj\n%b\nendobj\n" % (reference, content)
        return reference

    def add(self, content: bytes) -> int:
        """Write an object and return its number."""
        return self.put(self.reserve(), content)

    def finish(self, root: int, file_id: bytes) -> bytes:
        """Write cross-reference table and trailer (7.5.4, 7.5.5) and return the file."""
        count, start, mark = len(self.offsets), len(self.body), file_id.hex().upper()
        rows = b"".join(b"%010d 00000 n \n" % at for at in self.offsets[1:])
        self.body += b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, rows)
        self.body += (
            f"trailer\n<</Size {count}/Root {root} 0 R/ID[<{mark}><{mark}>]>>\n"
            f"startxref\n{start}\n%%EOF\n"
        ).encode()
        return bytes(self.body)


SIGNATURE_ROOM = 12_288
"""Bytes kept for the CMS object: the signer's chain, and a time-stamp token with its own."""
TIME_PLACEHOLDER = b"(D:00000000000000+00'00')"
RANGE_PLACEHOLDER = b"[0 0000000000 0000000000 0000000000]"


def signature_dictionary(*, reason: str, signer: str, room: int = SIGNATURE_ROOM) -> bytes:
    """Write a signature dictionary to be filled in place (12.8.1; PAdES, ETSI EN 319 142-1).

    DocMDP P=1 (12.8.2.2): no change whatever is permitted after signing.
    """
    return b"".join(
        (
            b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached",
            f"/Name {text_string(signer)}/Reason {text_string(reason)}".encode(),
            b"/Reference[<</Type/SigRef/TransformMethod/DocMDP",
            b"/TransformParams<</Type/TransformParams/V/1.2/P 1>>>>]",
            b"/M" + TIME_PLACEHOLDER + b"/ByteRange" + RANGE_PLACEHOLDER,
            b"/Contents<" + b"0" * (2 * room) + b">>>",
        )
    )
