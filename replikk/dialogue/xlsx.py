"""XLSX and XLSM as tables of text. Macros, charts, pictures and links are never looked at.

A cell that holds a number keeps the digits that a person sees where that can be told (``000`` formats), and a mark
where it cannot: a date, a percentage, ``1,00E+03``. A formula stands for the value that was saved with it.
Reference: ECMA-376 part 1, chapter 18 (SpreadsheetML); elements are told by local name, so that the strict variant
of the standard and prefixed producers read alike.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from replikk.dialogue.archives import damaged, open_archive, parse_xml, read_part
from replikk.dialogue.tables import MAX_CELL_CHARACTERS, MAX_CELLS, Mark, SheetReadError, Table, TableBuilder
from replikk.dialogue.xlsx_numbers import local_name, number_text, read_styles

_ESCAPE = re.compile(
    "_x(?![dD][89a-fA-F])([0-9A-Fa-f]{4})_"
)  # 22.9.2.19 ST_Xstring; half a surrogate pair is no letter


def read_xlsx(data: bytes) -> list[Table]:
    """All worksheets in their order, hidden ones included. Raises SheetReadError."""
    archive = open_archive(data)
    names = {name.lower(): name for name in archive.namelist()}

    def part(name: str) -> bytes:
        return read_part(archive, names.get(name.lower(), name))

    book = next((t for _, kind, t in _relations(part, "") if kind.endswith("/officeDocument")), "xl/workbook.xml")
    sheets, from_1904 = _workbook(part(book))
    relations = {key: (kind, target) for key, kind, target in _relations(part, book)}
    by_kind = {kind.rpartition("/")[2]: target for kind, target in relations.values()}
    strings = _shared_strings(part(by_kind.get("sharedStrings", "")))
    styles = read_styles(part(by_kind.get("styles", "")))

    tables = []
    for name, key, hidden in sheets:
        kind, target = relations.get(key, ("", ""))
        if kind and not kind.endswith("/worksheet"):  # a chart on a tab of its own
            continue
        content = part(target)
        if not content:
            raise damaged(f"the tab {name!r} is missing in the file")
        tables.append(_worksheet(content, name, strings, styles, from_1904=from_1904, hidden=hidden))
    archive.close()
    if not tables:
        raise damaged("it has no tab")
    return tables


def _relations(part: Callable[[str], bytes], owner: str) -> list[tuple[str, str, str]]:
    """(id, type, part name) of what a part refers to inside the file."""
    folder, base = posixpath.split(owner)
    found: list[tuple[str, str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
            found.append((attributes.get("Id", ""), attributes.get("Type", ""), target))

    data = part(posixpath.join(folder, "_rels", f"{base}.rels"))
    if data:
        parse_xml(data, start)
    return found


def _workbook(data: bytes) -> tuple[list[tuple[str, str, bool]], bool]:
    """(tab name, relation id, hidden) of each tab; whether days are counted from 1904."""
    sheets: list[tuple[str, str, bool]] = []
    from_1904 = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal from_1904
        if local_name(name) == "sheet":
            key = next((value for attribute, value in attributes.items() if attribute.endswith("}id")), "")
            sheets.append((attributes.get("name", ""), key, attributes.get("state", "visible") != "visible"))
        elif local_name(name) == "workbookPr":
            from_1904 = attributes.get("date1904") in ("1", "true")

    if not data:
        raise damaged("it is a zip file, but no workbook")
    parse_xml(data, start)
    return sheets, from_1904


def _shared_strings(data: bytes) -> list[str]:
    strings: list[str] = []
    pieces: list[str] = []
    collecting = phonetic = False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal collecting, phonetic
        tag = local_name(name)
        if tag == "si":
            pieces.clear()
        elif tag == "rPh":  # how to read Japanese signs, not part of the text
            phonetic = True
        elif tag == "t":
            collecting = not phonetic

    def end(name: str) -> None:
        nonlocal collecting, phonetic
        tag = local_name(name)
        if tag == "si":
            strings.append(_unescaped("".join(pieces)))
        elif tag == "rPh":
            phonetic = False
        elif tag == "t":
            collecting = False

    def text(piece: str) -> None:
        if collecting:
            pieces.append(piece)

    if data:
        parse_xml(data, start, end, text)
    return strings


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def _worksheet(
    data: bytes, sheet: str, strings: list[str], styles: list[str], *, from_1904: bool, hidden: bool
) -> Table:
    """One tab. Rows and cells may leave out their references; then they follow the one before."""
    builder = TableBuilder(sheet)
    cells: dict[int, tuple[str, Mark | None]] = {}
    columns: dict[str, int] = {}
    value: list[str] = []
    row = cell_count = 0
    place = -1
    kind = style = ""
    collecting = phonetic = formula = saved = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row, place, kind, style, collecting, phonetic, formula, saved
        tag = local_name(name)
        if tag == "c":
            if reference := attributes.get("r"):
                letters = reference.rstrip("0123456789")
                if (known := columns.get(letters)) is None:
                    known = columns[letters] = _place(letters)
                place = known
            else:
                place += 1
            kind, style = attributes.get("t", "n"), attributes.get("s", "")
            formula = saved = False
            value.clear()
        elif tag == "v":
            collecting = saved = True
        elif tag == "t":
            collecting = not phonetic
        elif tag == "rPh":
            phonetic = True
        elif tag == "f":
            formula = True
        elif tag == "row":
            number = int(attributes.get("r", row + 1))
            if number <= row:
                raise damaged(f"row {number} stands after row {row}")
            row, place = number, -1
            if attributes.get("hidden") in ("1", "true"):
                builder.hidden_rows.append(row)
        elif tag == "mergeCell":
            first, _, last = attributes.get("ref", "").partition(":")
            builder.merged.append((*_reference(first), *_reference(last or first)))

    def end(name: str) -> None:
        nonlocal collecting, phonetic, cell_count
        tag = local_name(name)
        if tag in ("v", "t"):
            collecting = False
        elif tag == "rPh":
            phonetic = False
        elif tag == "c":
            raw = "".join(value)
            if raw or formula:
                cell_count += 1
                if cell_count > MAX_CELLS:
                    raise SheetReadError(f"has more than {MAX_CELLS:,} filled cells", "delete what is no dialogue")
                if formula and not raw and not (kind == "str" and saved):  # a saved str may be the empty text
                    cells[place] = "", "uncalculated"
                else:
                    cells[place] = cell_value(raw)
        elif tag == "row":
            builder.add_row(row, cells)
            cells.clear()

    def text(piece: str) -> None:
        if collecting:
            value.append(piece)

    def cell_value(raw: str) -> tuple[str, Mark | None]:
        if kind == "s":
            index = int(raw)
            if not 0 <= index < len(strings):
                raise damaged("it refers to a text that is not in the file")
            return strings[index], None
        if kind in ("inlineStr", "str"):
            return _unescaped(raw), None
        if kind == "e":
            return raw, "error"
        if kind == "b":
            return ("TRUE" if raw.strip() == "1" else "FALSE"), "boolean"
        if kind == "d":
            return raw, "date"
        if len(raw) > MAX_CELL_CHARACTERS:
            return raw, "long"
        return number_text(raw, styles[int(style)] if style else "plain", from_1904=from_1904)

    parse_xml(data, start, end, text)
    return builder.table(hidden=hidden)


def _place(letters: str) -> int:
    place = 0
    if not re.fullmatch("[A-Za-z]{1,3}", letters):
        raise damaged("a cell has no valid reference")
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def _reference(text: str) -> tuple[int, int]:
    """(row, place) of ``B7``."""
    letters = text.replace("$", "").rstrip("0123456789")
    return int(text.replace("$", "")[len(letters) :]), _place(letters)
