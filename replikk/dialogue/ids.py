"""Line ids as file names: what is safe on every system that a game is built or played on.

An id becomes ``<id>.ogg`` on Linux, macOS and Windows and inside game engines, so it is ASCII letters, digits,
``_``, ``-`` and ``.`` only, and two ids may not differ in case alone. The same rule holds for scenes, which become
folders. But a tab's or a file's name becomes a scene unasked, so letters and blanks of scenes are rewritten (*Åpning 2*
is the folder ``Aapning_2``), where an id with them is refused. Every refusal proposes a cleaned name. What Excel makes
of ids (dates, ``1,00E+03``) is recognised here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_ID_BYTES = 100
"""Leaves room for ``__value`` of a placeholder and the extension below the 143 bytes of encrypted file systems."""

SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
# Names that Windows gives to devices, in any folder and with any extension.
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(10)}

_LETTERS = str.maketrans(
    {"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa", "ä": "ae", "ö": "oe", "ß": "ss", "đ": "d"}
)
_MONTHS = (
    r"(?:jan(?:uar|uary)?|feb(?:ruar|ruary)?|mar(?:s|ch)?|apr(?:il)?|mai|may|june?|juni|july?|juli|aug(?:ust)?"
    r"|sept?(?:ember)?|okt(?:ober)?|oct(?:ober)?|nov(?:ember)?|des(?:ember)?|dec(?:ember)?)"
)
_DATE = re.compile(
    rf"\d{{1,4}}[./\- ]+{_MONTHS}\.?(?:[./\- ]+\d{{2,4}})?"  # 01.mai, 1. mai 2024, 12-May
    rf"|{_MONTHS}\.?[./\- ]+\d{{1,4}}"  # mai.12, Sep-12
    r"|\d{4}-\d{2}-\d{2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"  # 2024-05-01 00:00:00
    r"|\d{2}[./]\d{2}[./]\d{4}(?: \d{1,2}:\d{2}(?::\d{2})?)?"  # 01.05.2024; 1.2.12 may be scene, part and line
    r"|\d{1,2}:\d{2}(?::\d{2})?",  # 08:30
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")


def in_ascii_letters(text: str) -> str:
    """``text`` with the letters of Norwegian and its neighbours as ASCII has them: ``Åpning`` becomes ``Aapning``."""
    if text.isascii():
        return text
    ascii_text = unicodedata.normalize("NFC", text).translate(_LETTERS)
    ascii_text = unicodedata.normalize("NFKD", ascii_text)
    return "".join(c for c in ascii_text if not unicodedata.combining(c))


def folder_of_scene(text: str) -> str:
    """The folder of a scene: ``Åpning 2`` is ``Aapning_2``. Anything else that a folder cannot have is left in it."""
    return re.sub(r"(?<=\S) +(?=\S)", "_", in_ascii_letters(text))


def cleaned_id(text: str) -> str:
    """A safe id near ``text`` (``Åpne døra!`` becomes ``Aapne_doera``), or ``""`` when nothing is left of it."""
    name = re.sub(r"[^A-Za-z0-9_.\-]+", "_", in_ascii_letters(text))
    name = re.sub(r"_{2,}", "_", name) if "__" not in text else name
    name = re.sub(r"\.{2,}", ".", name)[:MAX_ID_BYTES].strip("_.-")
    if name.split(".")[0].lower() in RESERVED:
        name = f"{name.split('.')[0]}_line" + name[len(name.split(".")[0]) :]
    return name


def safe_id_problems(name: str) -> list[tuple[str, str]]:
    """Why ``name`` is no safe file name, as (what is wrong, what to write instead); empty when it is safe."""
    if not name:
        return [("is empty", "write a short name of the letters a-z, digits, _ and -")]
    found: list[str] = []
    if len(name.encode("utf-8", "surrogatepass")) > MAX_ID_BYTES:
        found.append(f"is longer than {MAX_ID_BYTES} bytes")
    if name.split(".")[0].strip().lower() in RESERVED:
        found.append("is the name of a device on Windows, which cannot be a file there")
    if SAFE_ID.fullmatch(name):
        if name.endswith("."):
            found.append("ends with a full stop, which Windows drops")
        elif ".." in name:
            found.append("contains '..'")
    else:
        found.extend(_unsafe_characters(name))
    if not found:
        return []
    proposal = cleaned_id(name)
    instead = f"write for example {proposal}" if proposal else "write a short name of the letters a-z, digits, _ and -"
    return [(what, instead) for what in found]


def _unsafe_characters(name: str) -> list[str]:
    found = []
    if not name.isprintable():
        found.append("contains control characters or invisible ones")
    if "/" in name or "\\" in name:
        found.append("contains a path separator")
    if ".." in name:
        found.append("contains '..'")
    if name[0] in ".-" and not found:
        found.append(f"begins with '{name[0]}'")
    if name[-1] in ". " and not found:
        found.append("ends with a full stop or a space, which Windows drops")
    strange = sorted({c for c in name if c.isprintable() and not SAFE_ID.fullmatch(c) and c not in "/\\.-"})
    if strange:
        shown = " ".join("(space)" if c == " " else c for c in strange[:8])
        found.append(f"is no safe file name because of {shown} (only a-z, A-Z, 0-9, _, - and . are)")
    return found


def damaged_id(name: str) -> tuple[str, str] | None:
    """What a spreadsheet program did to this id, as (what, instead); None when it looks like a person wrote it."""
    if _DATE.fullmatch(name):
        return (
            "Excel has turned this id into a date, or would do so",
            "format the column as text and write the id again, with a letter first and _ between its parts",
        )
    if _SCIENTIFIC.fullmatch(name):
        return (
            "Excel has turned this id into a number, or would do so",
            "format the column as text and write the id again, with a letter first",
        )
    return None


def folded_id(name: str) -> str:
    """The form in which two ids are the same file on Windows and macOS."""
    return unicodedata.normalize("NFC", name.casefold())


def collisions(ids: Iterable[str]) -> list[tuple[int, int]]:
    """Positions (first, later) of ids that would be one file; each later one is named once, with the first."""
    first: dict[str, int] = {}
    found = []
    for position, name in enumerate(ids):
        earlier = first.setdefault(folded_id(name), position)
        if earlier != position:
            found.append((earlier, position))
    return found
