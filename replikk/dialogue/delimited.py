"""CSV and TSV: which letters, which separator, and records that are complete.

A record is a row of the spreadsheet: a cell with line breaks inside quotation marks is still one row, and a blank
line counts as one, so the numbers in messages are those that Excel and LibreOffice show. The csv module reads in
strict mode, because the forgiving mode drops quotation marks and swallows the rest of a file whose quote never ends.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from itertools import islice

from replikk.dialogue.columns import HEADER_WITHIN, column_of
from replikk.dialogue.tables import MAX_FILE_BYTES, Fault, SheetReadError, Table, TableBuilder, clean

SEPARATORS = (";", ",", "\t", "|")
# UTF-8 read as cp1252: the bytes of æ, ø, å and of curly quotes each become two or three such characters.
MOJIBAKE = re.compile("Ã[¦¸¥†˜…]|â€[™œ˜“”\u009d]")
_SAMPLE_CHARACTERS = 65_536  # below the csv module's own limit of a cell, so that sniffing cannot fail

_QUOTE_ADVICE = 'put the whole text in quotation marks and double those inside it: "Han sa ""hei""."'

# æøåÆØÅ in words: in Mac Roman they are what cp1252 reads as ¾, ¿, Œ, ®, ¯ and as nothing.
_MAC_LETTERS = re.compile(
    rb"(?<=[A-Za-z])[\xbe\xbf\x8c\xae\xaf\x81]|(?<![\x80-\xff])[\xbe\xbf\x8c\xae\xaf\x81](?=[A-Za-z])"
)
_CP1252_LETTERS = re.compile(rb"[\xe0-\xff\xc6\xd8\xc5]")


def decode(data: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 by its byte order mark, else UTF-8, else cp1252 (Excel in Norway on Windows)
    or Mac Roman (Excel on a Mac), whichever gives more Norwegian letters.

    Raises SheetReadError when it is none of them, or UTF-8 with stray bytes.
    """
    advice = "save it as CSV UTF-8"
    try:
        if data.startswith(codecs.BOM_UTF8):
            return data.decode("utf-8-sig")
        if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            return data.decode("utf-32")
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise SheetReadError(f"has damaged letters at byte {error.start}", advice) from error
    if (wide := _utf_16_without_mark(data)) is not None:
        return wide
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        where = data.count(b"\n", 0, error.start) + 1
    if len(_MAC_LETTERS.findall(data)) > len(_CP1252_LETTERS.findall(data)):
        return data.decode("mac_roman").replace("\r\n", "\n").replace("\r", "\n")  # old Macs end lines with CR alone
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise SheetReadError(f"is neither UTF-8 nor cp1252 text (text line {where})", advice) from error
    if MOJIBAKE.search(text):
        raise SheetReadError(f"mixes UTF-8 and other letters (text line {where})", advice)
    return text


def _utf_16_without_mark(data: bytes) -> str | None:
    """UTF-16 whose byte order mark was lost: nearly every other byte is nought, on one side only."""
    sample = data[:4096]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if len(data) % 2 or len(sample) < 8 or max(even, odd) < len(sample) * 0.4 or min(even, odd) > len(sample) * 0.01:
        return None
    try:
        return data.decode("utf-16-be" if even > odd else "utf-16-le")
    except UnicodeDecodeError:
        return None


def sniff_separator(text: str, *, prefer_tab: bool = False) -> str:
    """The separator under which the first rows name most columns, or else have most evenly many cells."""
    sample = text[:_SAMPLE_CHARACTERS]

    def score(separator: str) -> tuple[int, int, bool]:
        records = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=separator), HEADER_WITHIN))
        known = max((sum(column_of(clean(cell)) is not None for cell in cells) for cells in records), default=0)
        widths = [len(cells) for cells in records if len(cells) > 1]
        even = max((widths.count(width) for width in set(widths)), default=0)
        return known, even, prefer_tab and separator == "\t"

    return max(SEPARATORS, key=score)


def find_separator(text: str, *, prefer_tab: bool = False) -> tuple[int, str]:
    """Where the first row starts, in characters, and what parts its cells."""
    start, separator = 0, ""
    # Excel writes and obeys a first line "sep=;" and does not show it as a row.
    if named := re.match(r'"?sep=(.)"?\r?\n', text):
        start, separator = named.end(), named[1]
    if not separator or separator.isalnum() or separator in "\"' ":
        separator = sniff_separator(text[start:], prefer_tab=prefer_tab)
    return start, separator


def read_delimited(data: bytes, *, prefer_tab: bool = False) -> Table:
    """The table of a CSV or TSV file. Raises SheetReadError when it is no text at all."""
    text = decode(data)
    builder = TableBuilder("")
    start, separator = find_separator(text, prefer_tab=prefer_tab)
    text = text[start:]
    # Inside a quoted cell, a line that starts like a record: an unclosed quote met a stray one further down.
    swallowed = re.compile(rf"\n[\w.\-]{{1,100}}{re.escape(separator)}\S")

    old_limit = csv.field_size_limit(MAX_FILE_BYTES)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        number = 0
        while True:
            number += 1
            first_line = reader.line_num
            try:
                record = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                lines = reader.line_num - first_line
                builder.faults.append(_quote_fault(number, str(error), lines))
                if lines > 1:  # Where the next record starts can no longer be told.
                    break
                continue
            if not record:
                continue
            if any("\n" in cell and swallowed.search(cell) for cell in record):
                builder.faults.append(
                    Fault(
                        number,
                        "a cell holds what looks like the following rows: a quotation mark is not closed",
                        _QUOTE_ADVICE,
                    )
                )
            builder.add_row(number, {place: (unwrapped(cell), None) for place, cell in enumerate(record) if cell})
    finally:
        csv.field_size_limit(old_limit)
    return builder.table()


def unwrapped(cell: str) -> str:
    """``="007"`` is how exporters keep Excel from making a number of an id; it means 007."""
    if cell.startswith('="') and cell.endswith('"') and len(cell) > 3 and '"' not in cell[2:-1]:
        return cell[2:-1]
    return cell


def _quote_fault(number: int, error: str, lines: int) -> Fault:
    if "unexpected end" in error:
        return Fault(
            number,
            "a quotation mark opens here and is never closed: the file is cut off, or this row swallowed the rest",
            f"close it, or {_QUOTE_ADVICE}",
        )
    if lines > 1:
        return Fault(
            number,
            f"a quotation mark opens here and is not closed in its cell; nothing after row {number} was read",
            _QUOTE_ADVICE,
        )
    return Fault(number, "a quotation mark stands inside a quoted text", _QUOTE_ADVICE)
