"""The voices of a game, who speaks with which, and the rights to each: ``dialogue/voices.yaml``.

    voices:
      kari:
        label: Kari                       # what the report calls it; the name itself if left out
        espeak: {variant: f2, pitch: 55}  # settings by engine; each engine checks its own
        loudness_offset_lu: -1            # beside the other voices
        rights: {who: …, licence: …, evidence: …}
        reference: {audio: kari.wav, transcript: "…"}   # for a cloned voice, inside the dialogue folder
    characters: {Ugla: kari}              # rows that name a character but no voice
    cast_names: [Ylva, Trollgarn]         # names that a judge may spell as it likes

A cloned voice (one with a ``reference``) must say whose it is, under which licence and where that is written. A voice
without one has the rights of its engine. Names are compared without regard to case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replikk.dialogue.ids import folded_id, safe_id_problems
from replikk.dialogue.licences import licence_problem, non_commercial
from replikk.dialogue.records import Voice
from replikk.dialogue.yaml_files import YamlReader, read_yaml_lines, suggestion
from replikk.errors import Problem, printable
from replikk.files import sha256_file

ENGINES = ("espeak", "cosyvoice3", "speech-api")
ENGINE_RIGHTS: dict[str, dict[str, str]] = {
    "espeak": {
        "who": "eSpeak NG contributors",
        "licence": "GPL-3.0-or-later",
        "evidence": "a synthesised voice, no recording of a person; licence in the package espeakng-loader",
    }
}
"""Rights of voices that are an engine's own."""
SETTINGS_OF = {"faulty": "espeak"}
"""Engines that speak with the settings of another."""
CLONING_ENGINES = ("cosyvoice3", "speech-api")
"""Engines that copy a voice from its reference. Others speak with a voice of their own: no reference comes into it."""
MAX_OFFSET_LU = 12.0  # more than this between two voices is a fault of the recording, to be mended there

_TOP_KEYS = ("voices", "characters", "cast_names")
_VOICE_KEYS = ("label", "loudness_offset_lu", "rights", "reference", *ENGINES)
_RIGHTS_KEYS = ("who", "licence", "evidence")
_REFERENCE_KEYS = ("audio", "transcript")


@dataclass(frozen=True)
class Voices:
    """All voices and who has them."""

    file: str
    voices: Mapping[str, Voice]
    """By name as written."""
    characters: Mapping[str, str]
    """Character as written to the name of a voice."""
    cast_names: tuple[str, ...]
    rows: Mapping[str, int] = field(default_factory=dict)
    """Line of each voice in the file."""
    miscast: frozenset[str] = frozenset()
    """Characters, folded, whose voice does not exist: one problem of the file, and none of their rows."""

    @property
    def character_names(self) -> tuple[str, ...]:
        """Everybody who may stand before a colon in a text ("Anna: Hei"): the characters, and the voices by name."""
        return (*self.characters, *self.voices)

    def is_miscast(self, character_cell: str) -> bool:
        """Whether the file gives this character a voice that does not exist."""
        return bool(self.miscast) and _folded(character_cell) in self.miscast

    def voice_for(self, voice_cell: str, character_cell: str) -> Voice | tuple[str, str]:
        """The voice of a row, or (what is wrong, what to write instead).

        A voice named in the row comes first, then that of its character, then one called like the character.
        """
        by_name = {folded_id(name): voice for name, voice in self.voices.items()}
        if voice_cell.strip():
            voice = by_name.get(_folded(voice_cell))
            if voice is not None:
                return voice
            return (
                f"there is no voice '{printable(voice_cell, 60)}'",
                suggestion(voice_cell, self.voices, f"add it to {self.file}"),
            )
        if not character_cell.strip():
            return (
                "names no voice and no character",
                f"write a voice of {self.file}, for example {_examples(self.voices)}",
            )
        wanted = _folded(character_cell)
        for character, name in self.characters.items():
            if _folded(character) == wanted and folded_id(name) in by_name:
                return by_name[folded_id(name)]
        if wanted in by_name:
            return by_name[wanted]
        return (
            f"character '{printable(character_cell, 60)}' has no voice",
            suggestion(
                character_cell, [*self.characters, *self.voices], f"give it one under 'characters' in {self.file}"
            ),
        )


def _folded(cell: str) -> str:
    return folded_id(" ".join(cell.split()))


def _examples(names: Collection[str]) -> str:
    return " or ".join(list(names)[:3]) or "kari"


def read_voices(path: Path, engine_name: str) -> tuple[Voices, list[Problem]]:
    """The voices of a file with their settings for one engine, and everything wrong with them."""
    if not path.exists():
        instead = "write one; the smallest is  voices: {kari: {espeak: {}}}"
        return Voices(str(path), {}, {}, ()), [Problem(str(path), None, "", "", "there is no such file", instead)]
    content, lines, problems = read_yaml_lines(path)
    reader = YamlReader(path, lines)
    if content is None and problems:
        return Voices(str(path), {}, {}, ()), problems
    top = reader.mapping(content, (), _TOP_KEYS, "voices: {kari: {}}")
    voices: dict[str, Voice] = {}
    seen: dict[str, str] = {}
    for name, settings in reader.mapping(top.get("voices"), ("voices",), None, "voices: {kari: {}}").items():
        place = ("voices", name)
        for what, instead in safe_id_problems(name):
            reader.problem(place, f"the name of the voice {what}", instead)
        first = seen.setdefault(folded_id(name), name)
        if first != name:
            reader.problem(place, f"differs from voice '{first}' in case only", "give one of them another name")
            continue
        voices[name] = _read_voice(name, settings, reader, engine_name)
    if not voices and not reader.problems:
        reader.problem(
            ("voices",), "there is no voice", "write at least one, for example  voices: {kari: {espeak: {}}}"
        )
    characters, miscast = _read_characters(top.get("characters"), voices, reader)
    cast_names = _read_cast_names(top.get("cast_names"), reader)
    rows = {name: lines.get(("voices", name), 1) for name in voices}
    return Voices(str(path), voices, characters, cast_names, rows, frozenset(miscast)), problems + reader.problems


def _read_voice(name: str, settings: Any, reader: YamlReader, engine_name: str) -> Voice:
    place = ("voices", name)
    example = f"{printable(name, 40)}: {{espeak: {{}}}}"
    engine = SETTINGS_OF.get(engine_name, engine_name)
    known = _VOICE_KEYS if engine in _VOICE_KEYS else (*_VOICE_KEYS, engine)
    hint = f"; how {engine} speaks stands under its name: {engine}: {{…}}"
    values = reader.mapping(settings, place, known, example, hint)
    offset = values.get("loudness_offset_lu", 0)
    sound = isinstance(offset, (int, float)) and not isinstance(offset, bool) and math.isfinite(offset)
    if not sound or abs(offset) > MAX_OFFSET_LU:
        reader.problem(
            (*place, "loudness_offset_lu"),
            "is not a number of loudness units",
            f"write -{MAX_OFFSET_LU:g} to {MAX_OFFSET_LU:g}",
        )
        offset = 0.0
    for other in ENGINES:
        if other != engine:
            reader.mapping(values.get(other), (*place, other), None, f"{other}: {{}}")

    cloned = values.get("reference") is not None
    rights = _read_rights(values.get("rights"), place, reader, cloned)
    audio, sha256, transcript = _read_reference(values["reference"], place, reader) if cloned else ("", "", "")
    if cloned and engine not in CLONING_ENGINES and engine in ENGINE_RIGHTS:
        # Checked all the same, so that a change of engine brings no surprises.
        cloned, rights, audio, sha256, transcript = False, {}, "", "", ""
    return Voice(
        name=name,
        label=reader.text(values.get("label"), (*place, "label")) or name,
        engine_settings=reader.mapping(values.get(engine), (*place, engine), None, f"{engine}: {{}}"),
        loudness_offset_lu=float(offset),
        rights=rights or ({} if cloned else dict(ENGINE_RIGHTS.get(engine, {}))),
        reference_audio=audio,
        reference_sha256=sha256,
        reference_transcript=transcript,
    )


def _read_rights(value: Any, voice: tuple[str, ...], reader: YamlReader, cloned: bool) -> dict[str, str]:
    place = (*voice, "rights")
    example = "rights: {who: name of the speaker, licence: CC-BY-4.0, evidence: where that is written}"
    given = reader.mapping(value, place, _RIGHTS_KEYS, example)
    rights = {key: reader.text(content, (*place, key)) for key, content in given.items()}
    missing = [key for key in _RIGHTS_KEYS if not rights.get(key)]
    if cloned and value is None:
        reader.problem(voice, "is cloned from a recording, but has no 'rights'", f"write {example}")
    elif missing and (cloned or value is not None):
        reader.problem(place, f"does not say {', '.join(missing)}", f"write {example}")
    if rights.get("licence") and (wrong := licence_problem(rights["licence"])):
        reader.problem((*place, "licence"), *wrong)
    return {key: text for key, text in rights.items() if text}


def _read_reference(value: Any, voice: tuple[str, ...], reader: YamlReader) -> tuple[str, str, str]:
    """(path of the recording, its SHA-256, its transcript)."""
    place = (*voice, "reference")
    given = reader.mapping(value, place, _REFERENCE_KEYS, 'reference: {audio: kari.wav, transcript: "…"}')
    transcript = " ".join(reader.text(given.get("transcript"), (*place, "transcript")).split())
    if not transcript:
        reader.problem((*place, "transcript"), "is empty", "write word for word what the recording says")
    written = reader.text(given.get("audio"), (*place, "audio"))
    if not written:
        reader.problem((*place, "audio"), "is empty", "write the path of the recording, inside the dialogue folder")
        return "", "", transcript
    folder = reader.path.parent.resolve()
    outside = "\x00" in written or re.match(r"[A-Za-z]:|[\\/]", written)
    audio = folder if outside else (folder / written.replace("\\", "/")).resolve()
    if outside or not audio.is_relative_to(folder):
        reader.problem(
            (*place, "audio"),
            f"'{printable(written, 80)}' lies outside the dialogue folder",
            "copy it into that folder",
        )
        return "", "", transcript
    if not audio.is_file():
        reader.problem(
            (*place, "audio"),
            f"there is no file '{printable(written, 80)}'",
            f"put the recording into {reader.path.parent}",
        )
        return "", "", transcript
    try:
        sha256 = sha256_file(audio)
    except OSError as error:
        reader.problem((*place, "audio"), f"cannot be read ({error.strerror or error})", "check its rights")
        return "", "", transcript
    return str(reader.path.parent / audio.relative_to(folder)), sha256, transcript


def _read_characters(
    value: Any, voices: Mapping[str, Voice], reader: YamlReader
) -> tuple[dict[str, str], Collection[str]]:
    """The characters with their voices, and those, folded, whose voice does not exist."""
    characters: dict[str, str] = {}
    miscast: list[str] = []
    seen: dict[str, str] = {}
    by_name = {folded_id(name): name for name in voices}
    for character, content in reader.mapping(value, ("characters",), None, "characters: {Ugla: kari}").items():
        place = ("characters", character)
        name = reader.text(content, place)
        first = seen.setdefault(_folded(character), character)
        if first != character:
            reader.problem(place, f"is the same character as '{first}'", "keep one of the two")
        elif _folded(name) in by_name:
            characters[character] = by_name[_folded(name)]
        else:
            what = f"there is no voice '{printable(name, 60)}'" if name else "has no voice"
            reader.problem(place, what, suggestion(name, voices, f"write one of {_examples(voices)}"))
            miscast.append(_folded(character))
    return characters, miscast


def _read_cast_names(value: Any, reader: YamlReader) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        reader.problem(("cast_names",), "is not a list", "write cast_names: [Ylva, Trollgarn]")
        return ()
    names = [reader.text(name, ("cast_names", place)) for place, name in enumerate(value)]
    return tuple(dict.fromkeys(" ".join(name.split()) for name in names if name))


def licence_problems(voices: Voices, commercial: bool, used: Collection[str] | None = None) -> list[Problem]:
    """Voices whose licence forbids the build: those for non-commercial use, in a commercial one.

    ``used`` names the voices that the game's lines have; without it all voices of the file are looked at.
    """
    problems = []
    for name, voice in voices.voices.items():
        licence = voice.rights.get("licence", "")
        if commercial and non_commercial(licence) and (used is None or name in used):
            problems.append(
                Problem(
                    voices.file,
                    voices.rows.get(name),
                    "",
                    f"voices.{name}.rights.licence",
                    f"'{printable(licence, 60)}' forbids commercial use, and this build is commercial",
                    "use another voice, or write commercial: false in config.yaml",
                )
            )
    return problems
