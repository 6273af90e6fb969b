"""Spreadsheets (XLSX) of plain cells, written straight into the archive that they are.

A library for all that a spreadsheet can be lays each sheet in clear into a named file first, which
a kill leaves. This is what our lists need of ECMA-376, part 1 (18.2 to 18.8): text that is only
text, numbers, days and moments, each sheet below a head that stays in sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

#: Rows that a sheet holds below its headings.
MOST_ROWS = 1_048_575
#: Characters of a sheet's title.
TITLE = 31

Sheet = tuple[str, Sequence[str], Iterable[Sequence[Any]]]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_PART = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_BEFORE_ROWS = (
    f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
    '</sheetViews><cols><col min="1" max="{columns}" width="18" customWidth="1"/></cols><sheetData>'
)
#: How cells are shown, by their place: as they are, an amount, a day, a moment.
_SHOWN = (0, 4, 164, 165)
_AMOUNT, _DAY, _MOMENT = 1, 2, 3
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy-mm-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy-mm-dd h:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    f'<cellXfs count="{len(_SHOWN)}">'
    + "".join(
        f'<xf numFmtId="{one}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for one in _SHOWN
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>"
)


def write(file: IO[bytes], sheets: Iterable[Sheet]) -> None:
    """Write sheets (title, headings, lines) as a workbook; what one cannot hold stands on the next.

    Lines are asked for as they are written, and only once.
    """
    titles: list[str] = []
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for title, heads, lines in sheets:
            for number, portion in enumerate(_portions(lines)):
                titles.append(f"{title[: TITLE - 3]}{number}" if number else title[:TITLE])
                _write_sheet(archive, _sheet_at(len(titles)), heads, portion)
        for name, content in _frame(titles).items():
            archive.writestr(name, f"{_DECLARATION}{content}")


def _portions(lines: Iterable[Sequence[Any]]) -> Iterator[Iterator[Sequence[Any]]]:
    """Yield what fits on each sheet, the first one also where there is nothing."""
    left = iter(lines)
    yield islice(left, MOST_ROWS)
    for line in left:
        yield chain([line], islice(left, MOST_ROWS - 1))


def _sheet_at(number: int) -> str:
    return f"worksheets/sheet{number}.xml"


def _write_sheet(
    archive: ZipFile, name: str, heads: Sequence[str], lines: Iterator[Sequence[Any]]
) -> None:
    letters = [get_column_letter(number) for number in range(1, len(heads) + 1)]
    with archive.open(f"xl/{name}", "w", force_zip64=True) as part:
        part.write(_BEFORE_ROWS.replace("{columns}", str(len(heads))).encode())
        for number, line in enumerate(chain([heads], lines), start=1):
            cells = (_cell(f"{at}{number}", value) for at, value in zip(letters, line, strict=True))
            part.write(f'<row r="{number}">{"".join(cells)}</row>'.encode())
        part.write(b"</sheetData></worksheet>")


def _cell(at: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, date):  # a moment, too
        style = _MOMENT if isinstance(value, datetime) else _DAY
        return f'<c r="{at}" s="{style}"><v>{to_excel(value)}</v></c>'
    if isinstance(value, int | float):
        style = _AMOUNT if isinstance(value, float) else 0
        return f'<c r="{at}" s="{style}"><v>{value}</v></c>'
    text = escape(str(value), {"\r": "&#13;"})
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _frame(titles: Sequence[str]) -> dict[str, str]:
    """Return the parts that say what the archive holds (ECMA-376, part 2)."""
    sheets = {f"r{number}": _sheet_at(number) for number in range(1, len(titles) + 1)}
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_PART}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_PART}.styles+xml"/>'
            + "".join(
                f'<Override PartName="/xl/{name}" ContentType="{_PART}.worksheet+xml"/>'
                for name in sheets.values()
            )
            + "</Types>"
        ),
        "_rels/.rels": _leading({"r1": ("officeDocument", "xl/workbook.xml")}),
        "xl/_rels/workbook.xml.rels": _leading(
            {key: ("worksheet", name) for key, name in sheets.items()}
            | {"styles": ("styles", "styles.xml")}
        ),
        "xl/styles.xml": _STYLES,
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            + "".join(
                f'<sheet name={quoteattr(title)} sheetId="{number}" r:id="r{number}"/>'
                for number, title in enumerate(titles, start=1)
            )
            + "</sheets></workbook>"
        ),
    }


def _leading(targets: dict[str, tuple[str, str]]) -> str:
    """Return relationships: by which key which part is meant, and what kind it is."""
    rows = (
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(rows)}</Relationships>'
