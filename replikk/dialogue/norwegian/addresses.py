"""E-mail and web addresses, read the way people spell them out loud: *krøllalfa*, *punktum*, *skråstrek*."""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.tables import listed

_EMAIL = re.compile(r"(?<![\w.+-])([\w.+-]{1,64})@([\w-]{1,63}(?:\.[\w-]{1,63}){1,4})")
_WEB = re.compile(
    r"(?<![\w@.-])(?:https?://)?(?=[\w-])((?:[\w-]{1,40}\.){1,5}(?:no|com|org|net|dk|se|eu|io|info))(?![\w-])"
    r"((?:/[\w.~-]{1,80}){0,8})/?",
    re.I,
)
_ENDING = re.compile(r"\.(?:no|com|org|net|dk|se|eu|io|info)(?!\w)", re.I)
_SCHEME = re.compile(r"https?://", re.I)
_SIGNS = {
    ".": " punktum ",
    "/": " skråstrek ",
    "-": " bindestrek ",
    "_": " understrek ",
    "+": " pluss ",
    "~": " tilde ",
}
_NAMES_IN_LETTERS = frozenset(listed("nrk vg bbc ntnu uio uib"))


def speak_addresses(text: str) -> str:
    """Spell the signs of addresses; letters and digits in them are left to the rules that follow."""
    if "@" in text:
        text = _EMAIL.sub(lambda m: f"{_read(m[1])} alfakrøll {_read(m[2])}", text)
        text = text.replace("@", " krøllalfa ")
    if _ENDING.search(text):
        text = _WEB.sub(_say_web, text)
    return _SCHEME.sub("", text) if "://" in text else text


def _say_web(match: re.Match[str]) -> str:
    host, path = match[1], match[2]
    stop = ""
    if path.endswith("."):
        path, stop = path.rstrip("."), "."
    return _read(host) + _read(path) + stop


def _read(part: str) -> str:
    words = re.split(r"([./_+~-])", part)
    said = "".join(_SIGNS.get(word) or _word(word) for word in words)
    return " ".join(said.split()) if not part.startswith("/") else " " + " ".join(said.split())


def _word(word: str) -> str:
    if word.lower() == "www":
        return "ve ve ve"
    return word.upper() if word.lower() in _NAMES_IN_LETTERS else word
