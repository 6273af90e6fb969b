"""What lets a screen reader and an archive read the paper: structure tree, metadata, colours.

PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1); clauses cited where they bite.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from xml.sax.saxutils import escape

from PIL import ImageCms

from certificates.syntax import ObjectFile, stream, text_string

LANGUAGE = "zh-CN"
ENGLISH = "en-GB"
ROOT = 0


@dataclass(slots=True)
class _Element:
    kind: str
    parent: int
    entries: str
    kids: list[str] = field(default_factory=list)


class Tags:
    """The structure tree of one document (ISO 32000-1, 14.7), in reading order.

    Elements are opened in the order in which they should be read aloud; `claim` gives an
    element a marked-content sequence of a page.
    """

    def __init__(self, pages: list[int], first_object: int) -> None:
        self._pages = pages
        self._first = first_object
        self._elements: list[_Element] = []
        self._marks: list[dict[int, int]] = [{} for _ in pages]
        self._annotations: list[int] = []
        self.open("Document", ROOT)

    def reference(self, element: int) -> int:
        """Return the object number of an element."""
        return self._first + element

    def open(self, kind: str, parent: int, *, lang: str = "", alt: str = "", more: str = "") -> int:
        """Open an element of a standard type below `parent` and return its handle."""
        entries = f"/Lang({lang})" if lang else ""
        entries += f"/Alt {text_string(alt)}" if alt else ""
        handle = len(self._elements)
        self._elements.append(_Element(kind, parent, entries + more))
        if handle != ROOT:
            self._elements[parent].kids.append(f"{self.reference(handle)} 0 R")
        return handle

    def claim(self, element: int, page: int, mark: int) -> None:
        """Give an element the marked content `mark` (an MCID) of a page."""
        kid = f"<</Type/MCR/Pg {self._pages[page]} 0 R/MCID {mark}>>"
        self._elements[element].kids.append(kid)
        self._marks[page][mark] = element

    def annotate(self, element: int, page: int, annotation: int) -> int:
        """Give an element an annotation; return the annotation's StructParent key."""
        kid = f"<</Type/OBJR/Pg {self._pages[page]} 0 R/Obj {annotation} 0 R>>"
        self._elements[element].kids.append(kid)
        self._annotations.append(element)
        return len(self._pages) + len(self._annotations) - 1

    def write(self, file: ObjectFile) -> int:
        """Write tree and parent tree (14.7.4.4); return the tree root's object number."""
        for _ in self._elements:
            file.reserve()
        root = file.reserve()
        for handle, element in enumerate(self._elements):
            parent = root if handle == ROOT else self.reference(element.parent)
            content = f"<</S/{element.kind}/P {parent} 0 R{element.entries}"
            file.put(self.reference(handle), f"{content}/K[{' '.join(element.kids)}]>>".encode())
        numbers = [f"{page} [{self._owners(marks)}]" for page, marks in enumerate(self._marks)]
        numbers += [
            f"{len(self._pages) + i} {self.reference(e)} 0 R"
            for i, e in enumerate(self._annotations)
        ]
        file.put(
            root,
            f"<</Type/StructTreeRoot/K {self.reference(ROOT)} 0 R/ParentTreeNextKey {len(numbers)}"
            f"/ParentTree<</Nums[{' '.join(numbers)}]>>>>".encode(),
        )
        return root

    def _owners(self, marks: dict[int, int]) -> str:
        """List, at the index of each MCID, the element that owns it (14.7.4.4)."""
        owners = (marks.get(mark) for mark in range(max(marks, default=-1) + 1))
        return " ".join("null" if o is None else f"{self.reference(o)} 0 R" for o in owners)


@lru_cache(maxsize=1)
def _srgb() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    fixed_day = b"\x07\xd0\x00\x01\x00\x01" + bytes(6)  # the same file whenever it is drawn
    return profile[:24] + fixed_day + profile[36:]


def write_output_intent(file: ObjectFile) -> int:
    """Write the sRGB output intent that gives DeviceRGB a meaning (ISO 19005-2, 6.2.3)."""
    profile = file.add(stream(_srgb(), "/N 3"))
    return file.add(
        b"<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB IEC61966-2.1)"
        b"/Info(sRGB IEC61966-2.1)/DestOutputProfile %d 0 R>>" % profile
    )


PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>
<pdfuaid:part>1</pdfuaid:part>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{creator}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>zh-CN</rdf:li><rdf:li>en-GB</rdf:li></rdf:Bag></dc:language>
<pdf:Producer>outreach certificates</pdf:Producer>
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA Universal Accessibility Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 the document conforms to</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def write_metadata(file: ObjectFile, *, title: str, creator: str) -> int:
    """Write the XMP packet, uncompressed (ISO 19005-2, 6.6.2; ISO 14289-1, clause 5)."""
    packet = PACKET.format(title=escape(title), creator=escape(creator)).encode()
    return file.add(stream(packet, "/Type/Metadata/Subtype/XML", compress=False))
