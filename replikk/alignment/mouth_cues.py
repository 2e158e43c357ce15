"""Mouth shapes of a clip, in the JSON of Rhubarb Lip Sync, which game engines read: by Norwegian letters.

The shapes: A lips closed (p b m); B teeth nearly closed (most consonants, i, j); C open (e, æ); D wide open (a);
E rounded and open (å, ø, short o); F rounded and small (u, y, long o); G teeth on the lip (f, v); H tongue up (l);
X at rest. Norwegian spelling is close enough to its sounds for lips that are looked at from a distance; what is not
said (the h of *hva*, the d of *land*) is left out, and *o* is told apart by the consonants that follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from replikk.alignment.word_times import TimedLetter, TimedWord

REST = "X"
SHAPES = "ABCDEFGHX"
_BY_LETTER = {
    **dict.fromkeys("pbm", "A"),
    **dict.fromkeys("cdgijknqrstxzç", "B"),
    **dict.fromkeys("eæéèêä", "C"),
    **dict.fromkeys("aàáâ", "D"),
    **dict.fromkeys("åøöóòô", "E"),
    **dict.fromkeys("ouyü", "F"),
    **dict.fromkeys("fvw", "G"),
    "l": "H",
}
_VOWELS = frozenset("aeiouyæøåéèêóòôàáâäöü")
_SILENT_STARTS = ("hv", "hj", "gj")
"""Their first letter is not said."""
_SHORTEST_S = 0.04
"""One frame of an animation at 25 frames a second; what is shorter is not seen. Closed lips are kept: they are."""
_REST_GAP_S = 0.16
"""A silence shorter than this is held with the mouth as it is."""
_VOWEL_SHARE = 2.0
"""A vowel is about twice as long as a consonant."""


@dataclass(frozen=True)
class MouthCue:
    """A shape and when it is held, in seconds."""

    start_s: float
    end_s: float
    shape: str


def letters_of(words: Sequence[TimedWord]) -> list[TimedLetter]:
    """Letters with times, from words with times: a word's time in shares, vowels twice as long as consonants."""
    letters = []
    for word in words:
        said = [character for character in word.text.lower() if character.isalpha()]
        shares = [_VOWEL_SHARE if character in _VOWELS else 1.0 for character in said]
        total = sum(shares)
        at_s = word.start_s
        for character, share in zip(said, shares, strict=True):
            end_s = at_s + (word.end_s - word.start_s) * share / total
            letters.append(TimedLetter(character, at_s, end_s))
            at_s = end_s
        letters.append(TimedLetter(" ", at_s, at_s))
    return letters


def mouth_cues(letters: Sequence[TimedLetter], duration_s: float) -> list[MouthCue]:
    """The shapes of a clip, without gaps from 0 to ``duration_s``; never the same one twice in a row.

    ``letters`` in order, with a space between words.
    """
    shaped = _shapes(letters)
    cues: list[MouthCue] = []
    for start_s, end_s, shape in shaped:
        start_s, end_s = min(max(start_s, 0.0), duration_s), min(end_s, duration_s)
        before_s = cues[-1].end_s if cues else 0.0
        if start_s - before_s >= _REST_GAP_S or not cues:
            if start_s > before_s:
                cues.append(MouthCue(before_s, start_s, REST))
        elif start_s > before_s:
            cues[-1] = MouthCue(cues[-1].start_s, start_s, cues[-1].shape)
        start_s = max(start_s, cues[-1].end_s if cues else 0.0)
        if end_s > start_s:
            cues.append(MouthCue(start_s, end_s, shape))
    last_s = cues[-1].end_s if cues else 0.0
    if duration_s > last_s or not cues:
        cues.append(MouthCue(last_s, duration_s, REST))
    return _merged(_long_enough(_merged(cues)))


def rhubarb_json(cues: Sequence[MouthCue], sound_file: str, duration_s: float) -> dict[str, Any]:
    """The content of Rhubarb's JSON file: times in hundredths of a second. A shape that lasts less is left out."""
    rounded = [MouthCue(round(cue.start_s, 2), round(cue.end_s, 2), cue.shape) for cue in cues]
    lasting = _merged([cue for cue in rounded if cue.end_s > cue.start_s]) or rounded[:1]
    return {
        "metadata": {"soundFile": sound_file, "duration": round(duration_s, 2)},
        "mouthCues": [{"start": cue.start_s, "end": cue.end_s, "value": cue.shape} for cue in lasting],
    }


def _shapes(letters: Sequence[TimedLetter]) -> list[tuple[float, float, str]]:
    """(start, end, shape) of every letter that has one."""
    text = "".join(letter.letter if len(letter.letter) == 1 else "?" for letter in letters).lower()
    shaped = []
    for place, letter in enumerate(letters):
        shape = _shape(text, place)
        if shape:
            shaped.append((letter.start_s, letter.end_s, shape))
    return shaped


def _shape(text: str, place: int) -> str:
    """The shape of one letter in its surroundings; empty for one that is not said, or that takes its neighbours'."""
    character = text[place]
    starts_word = place == 0 or text[place - 1] == " "
    if starts_word and text.startswith(_SILENT_STARTS, place):
        return ""
    after = text[place + 1 : place + 3].ljust(2)
    if character == "d" and (after[0] == " " and place > 1 and text[place - 1] in "nlr"):
        return ""  # land, kveld, ord
    if character == "o":
        # Two consonants make a vowel short: ost, opp; a single one or none leaves it long: bok, to.
        short = after[0] not in _VOWELS | {" "} and after[1] not in _VOWELS | {" "}
        return "E" if short else "F"
    return _BY_LETTER.get(character, "")


def _merged(cues: Sequence[MouthCue]) -> list[MouthCue]:
    result: list[MouthCue] = []
    for cue in cues:
        if result and result[-1].shape == cue.shape:
            result[-1] = MouthCue(result[-1].start_s, cue.end_s, cue.shape)
        else:
            result.append(cue)
    return result


def _long_enough(cues: Sequence[MouthCue]) -> list[MouthCue]:
    """Without shapes that are too short to be seen: their time goes to the one before them."""
    result: list[MouthCue] = []
    for cue in cues:
        if result and cue.end_s - cue.start_s < _SHORTEST_S and cue.shape != "A":
            result[-1] = MouthCue(result[-1].start_s, cue.end_s, result[-1].shape)
        else:
            result.append(cue)
    return result
