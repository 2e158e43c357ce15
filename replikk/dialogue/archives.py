"""Workbooks are zip files full of XML: opening both without trusting either.

Limits are checked on what the zip declares before a byte is unpacked; zipfile then never unpacks more than was
declared and checks each part's sum. XML with a DOCTYPE is refused (no office program writes one), which ends entity
bombs and external entities; expat is fed a whole part at once, so that one giant token is not scanned again and again.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from xml.parsers import expat

from replikk.dialogue.tables import MAX_FILE_BYTES, SheetReadError

MAX_PARTS = 10_000
MAX_RATIO = 250
"""Unpacked to packed bytes; real sheets reach 20 to 60 when rows repeat, a bomb of zeros about 1,000."""
RATIO_MATTERS_FROM_BYTES = 20_000_000

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def damaged(detail: str) -> SheetReadError:
    """The file is broken, or is something else under this name."""
    return SheetReadError(
        f"is not a readable workbook ({detail})", "open it in the spreadsheet program and save it again"
    )


def protected() -> SheetReadError:
    """The file is encrypted."""
    return SheetReadError("is password protected", "save it without a password")


def open_archive(data: bytes) -> zipfile.ZipFile:
    """The zip file of a workbook, checked for size. Raises SheetReadError."""
    if data.startswith(_OLE[:4]):
        # An encrypted XLSX is an OLE file with a stream "EncryptedPackage"; an old XLS one with "Workbook" or "Book".
        names = [name.encode("utf-16-le") for name in ("EncryptedPackage", "Workbook", "Book")]
        if names[0] not in data and (names[1] in data or names[2] in data):
            raise SheetReadError("is an old .xls workbook under another name", "save it as .xlsx")
        raise protected()
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as error:
        raise damaged("it is empty" if not data else "it is cut off or no zip file") from error
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_FILE_BYTES:
        raise SheetReadError(
            f"unpacks to {len(parts):,} parts and {unpacked // 1_000_000:,} MB, which no dialogue sheet needs",
            "copy the cells into a new workbook",
        )
    if unpacked > RATIO_MATTERS_FROM_BYTES and unpacked > MAX_RATIO * max(len(data), 1):
        raise SheetReadError(
            f"unpacks to {unpacked // max(len(data), 1):,} times its size, as only a zip bomb does",
            "copy the cells into a new workbook",
        )
    if any(part.flag_bits & 1 for part in parts):
        raise protected()
    return archive


def read_part(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of one part; empty when there is none. Raises SheetReadError when it is damaged."""
    try:
        return archive.read(name)
    except KeyError:
        return b""
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise damaged(f"{name}: {error}"[:120]) from error


def parse_xml(
    data: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Run the handlers over a part; names come as ``namespace}name``. Raises SheetReadError."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise damaged(f"XML, {error}") from error
    except (ValueError, OverflowError, IndexError, KeyError) as error:  # numbers and references that are none
        raise damaged(f"{type(error).__name__} in its XML") from error


def _refuse_doctype(*_: object) -> None:
    raise damaged("it carries a DOCTYPE, which no spreadsheet program writes")
