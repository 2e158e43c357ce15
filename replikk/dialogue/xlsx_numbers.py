"""What a number cell of XLSX looks like to the person who wrote it, told from its style.

The file holds 7 and a style ``000``; the person sees 007. Where the shown text cannot be told with certainty (dates,
percentages, ``1,00E+03``) the cell gets a mark, and the column decides whether that is a problem.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

from replikk.dialogue.archives import damaged, parse_xml
from replikk.dialogue.tables import Mark

_BUILTIN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # 18.8.30 numFmt, and East Asia
_BUILTIN_SCIENTIFIC = {11, 48}
_BUILTIN_PLAIN = {0, 1, 49}  # General, 0, text


def local_name(name: str) -> str:
    """The name of an XML element without its namespace."""
    return name.rpartition("}")[2]


def read_styles(data: bytes) -> list[str]:
    """Per cell style ``plain``, ``date``, ``scientific``, ``formatted``, or the zeros that numbers are padded to."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    inside = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        tag = local_name(name)
        if tag == "numFmt":
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            formats.append(int(attributes.get("numFmtId", "0")))

    def end(name: str) -> None:
        nonlocal inside
        if local_name(name) == "cellXfs":
            inside = False

    if data:
        parse_xml(data, start, end)
    kinds = {number: _format_kind(number, codes.get(number)) for number in set(formats)}
    return [kinds[number] for number in formats]


def _format_kind(number: int, code: str | None) -> str:
    if code is None:
        if number in _BUILTIN_DATES:
            return "date"
        if number in _BUILTIN_SCIENTIFIC:
            return "scientific"
        return "plain" if number in _BUILTIN_PLAIN else "formatted"
    bare = re.sub(r'"[^"]*"|\\.|_.|\*.', "", code[:1000])
    elapsed = re.search(r"\[(?:h+|m+|s+)\]", bare, re.IGNORECASE)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    if bare.lower() in ("general", "standard", "@", "0", ""):
        return "plain" if bare == code else "formatted"
    if re.fullmatch("0{2,30}", code):
        return code
    if re.search(r"[0#?]E[+-]", bare, re.IGNORECASE):
        return "scientific"
    return "date" if elapsed or re.search("[ymdhs]", bare, re.IGNORECASE) else "formatted"


def number_text(raw: str, shown_as: str, *, from_1904: bool) -> tuple[str, Mark | None]:
    """The text and the mark of a number cell, by how its style shows it."""
    number = float(raw)
    if not math.isfinite(number):
        raise damaged("a number is infinite")
    if shown_as == "date":
        return _date_text(number, from_1904=from_1904), "date"
    whole = number.is_integer()
    digits = str(int(number)) if whole and abs(number) < 1e15 else repr(number)
    if shown_as == "scientific" or "e" in digits:
        return digits, "scientific"
    if abs(number) >= 1e15:  # Excel keeps fifteen digits and writes zeros for the rest
        return digits, "digits"
    if shown_as == "formatted":
        return digits, "formatted"
    if not whole:
        return digits, "fraction"
    if shown_as != "plain" and number >= 0:
        return digits.zfill(len(shown_as)), None
    return digits, None


def _date_text(days: float, *, from_1904: bool) -> str:
    """A day number as a date, for the message only; Excel counts from 30.12.1899 or from 1.1.1904."""
    try:
        moment = (datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)) + timedelta(days=days)
    except OverflowError:
        return repr(days)
    if 0 <= days < 1:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d}" if days.is_integer() else f"{moment:%Y-%m-%d %H:%M:%S}"
