"""voices.yaml: who speaks how, who has which voice, whose voice it is, and what its licence allows."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from replikk.dialogue.licences import licence_problem, non_commercial
from replikk.dialogue.records import Voice
from replikk.dialogue.voices import Voices, licence_problems, read_voices

GAME = """\
voices:
  kari:
    label: Kari Nordmann
    espeak: {variant: f2, pitch: 55}
    cosyvoice3: {speed: 1}
    loudness_offset_lu: -1.5
  bestemor:
    espeak: {variant: f5}
    rights: {who: oss, licence: own, evidence: README}
characters: {Ugla: bestemor, "Åse": KARI}
cast_names: [Ylva, Trollgarn, Ylva]
"""
CLONED = """\
voices:
  kari:
    reference: {audio: lyd/kari.wav, transcript: Hei på deg}
    rights: {who: Kari, licence: CC-BY-4.0, evidence: avtale.pdf}
"""


def read(tmp_path: Path, content: str, engine: str = "espeak") -> tuple[Voices, list[str]]:
    path = tmp_path / "voices.yaml"
    path.write_text(content, encoding="utf-8")
    voices, problems = read_voices(path, engine)
    return voices, [str(problem).removeprefix(str(path)) for problem in problems]


def with_recording(tmp_path: Path) -> bytes:
    (tmp_path / "lyd").mkdir()
    (tmp_path / "lyd" / "kari.wav").write_bytes(b"RIFF....")
    return b"RIFF...."


def test_a_game_is_read(tmp_path: Path) -> None:
    voices, problems = read(tmp_path, GAME)
    assert problems == []
    kari = voices.voices["kari"]
    assert (kari.name, kari.label, kari.loudness_offset_lu) == ("kari", "Kari Nordmann", -1.5)
    assert kari.engine_settings == {"variant": "f2", "pitch": 55}
    assert kari.rights["licence"] == "GPL-3.0-or-later", "the embedded voice has the rights of its engine"
    assert voices.voices["bestemor"].label == "bestemor"
    assert voices.voices["bestemor"].rights == {"who": "oss", "licence": "own", "evidence": "README"}
    assert voices.cast_names == ("Ylva", "Trollgarn")
    assert set(voices.character_names) == {"Ugla", "Åse", "kari", "bestemor"}


def test_settings_are_those_of_the_engine_in_use(tmp_path: Path) -> None:
    assert read(tmp_path, GAME, "cosyvoice3")[0].voices["kari"].engine_settings == {"speed": 1}
    assert read(tmp_path, GAME, "faulty")[0].voices["kari"].engine_settings == {"variant": "f2", "pitch": 55}
    assert read(tmp_path, GAME, "cosyvoice3")[0].voices["bestemor"].engine_settings == {}


@pytest.mark.parametrize(
    ("voice", "character", "name"),
    [
        ("kari", "", "kari"),
        ("Kari", "Ugla", "kari"),
        ("", "ugla", "bestemor"),
        ("", "A\u030aSE", "kari"),
        ("", "Bestemor", "bestemor"),
    ],
)
def test_a_row_finds_its_voice(tmp_path: Path, voice: str, character: str, name: str) -> None:
    found = read(tmp_path, GAME)[0].voice_for(voice, character)
    assert isinstance(found, Voice) and found.name == name


@pytest.mark.parametrize(
    ("voice", "character", "what", "instead"),
    [
        ("kri", "Ugla", "there is no voice 'kri'", "did you mean 'kari'?"),
        ("xyzzy", "", "there is no voice 'xyzzy'", "add it to"),
        ("", "Ulga", "character 'Ulga' has no voice", "did you mean 'Ugla'?"),
        ("", "", "names no voice and no character", "for example kari or bestemor"),
    ],
)
def test_a_row_without_a_voice_is_told_which_there_are(
    tmp_path: Path, voice: str, character: str, what: str, instead: str
) -> None:
    found = read(tmp_path, GAME)[0].voice_for(voice, character)
    assert isinstance(found, tuple) and found[0] == what and instead in found[1]


def test_a_cloned_voice_with_all_its_papers(tmp_path: Path) -> None:
    data = with_recording(tmp_path)
    voices, problems = read(tmp_path, CLONED, "cosyvoice3")
    assert problems == []
    kari = voices.voices["kari"]
    assert Path(kari.reference_audio) == tmp_path / "lyd" / "kari.wav"
    assert kari.reference_sha256 == hashlib.sha256(data).hexdigest()
    assert kari.reference_transcript == "Hei på deg"


def test_an_engine_with_a_voice_of_its_own_takes_neither_sound_nor_rights_from_a_reference(tmp_path: Path) -> None:
    with_recording(tmp_path)
    kari = read(tmp_path, CLONED, "espeak")[0].voices["kari"]
    assert (kari.reference_audio, kari.reference_sha256, kari.reference_transcript) == ("", "", "")
    assert kari.rights["who"] == "eSpeak NG contributors"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "    rights: {who: Kari, licence: CC-BY-4.0, evidence: avtale.pdf}\n",
            "",
            ":2 voices.kari: is cloned from a recording, but has no 'rights'",
        ),
        ("who: Kari, ", "", ":4 voices.kari.rights: does not say who"),
        ("evidence: avtale.pdf", "evidence: ''", ":4 voices.kari.rights: does not say evidence"),
        (
            "CC-BY-4.0",
            "CC BY 4.0",
            ":4 voices.kari.rights.licence: 'CC BY 4.0' is no known name of a licence; did you mean 'CC-BY-4.0'?",
        ),
        ("who:", "whom: x, who:", ":4 voices.kari.rights.whom: 'whom' is not known here; did you mean 'who'?"),
        ("lyd/kari.wav", "lyd/ola.wav", ":3 voices.kari.reference.audio: there is no file 'lyd/ola.wav'"),
        ("lyd/kari.wav", "../kari.wav", "'../kari.wav' lies outside the dialogue folder"),
        ("lyd/kari.wav", "/etc/passwd", "lies outside the dialogue folder"),
        ("lyd/kari.wav", "C:\\kari.wav", "lies outside the dialogue folder"),
        ("lyd/kari.wav", "lenke.wav", "lies outside the dialogue folder"),
        ("lyd/kari.wav", "lyd", "there is no file 'lyd'"),
        ("Hei på deg", "''", "voices.kari.reference.transcript: is empty"),
        ("audio: lyd/kari.wav, ", "", "voices.kari.reference.audio: is empty"),
    ],
)
def test_what_a_cloned_voice_lacks_is_a_problem(tmp_path: Path, old: str, new: str, message: str) -> None:
    with_recording(tmp_path)
    (tmp_path / "lenke.wav").symlink_to("/etc/hostname")
    _, problems = read(tmp_path, CLONED.replace(old, new))
    assert len(problems) == 1 and message in problems[0], problems


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("voices: {kari: {}}\nvoicse: {}\n", ":2 voicse: 'voicse' is not known here; did you mean 'voices'?"),
        (
            "voices: {kari: {pitch: 55}}\n",
            ":1 voices.kari.pitch: 'pitch' is not known here; use label, loudness_offset_lu, rights, reference, "
            "espeak, cosyvoice3, speech-api; how espeak speaks stands under its name: espeak: {…}",
        ),
        ("voices: {kari: {lable: x}}\n", ":1 voices.kari.lable: 'lable' is not known here; did you mean 'label'?"),
        ("voices: {kari: {espeak: rask}}\n", ":1 voices.kari.espeak: is not a mapping"),
        ("voices: {kari: {cosyvoice3: 3}}\n", ":1 voices.kari.cosyvoice3: is not a mapping"),
        ("voices: {kari: {loudness_offset_lu: høyt}}\n", "loudness_offset_lu: is not a number"),
        ("voices: {kari: {loudness_offset_lu: 40}}\n", "loudness_offset_lu: is not a number"),
        ("voices: {kari: {label: [a]}}\n", "label: is not a text"),
        ("voices: {kari: {}, Kari: {}}\n", "voices.Kari: differs from voice 'kari' in case only"),
        ("voices: {bjørn: {}}\n", "write for example bjoern"),
        ("voices: {../x: {}}\n", "the name of the voice"),
        ("voices: {con: {}}\n", "device on Windows"),
        ("voices: []\n", ":1 voices: is not a mapping"),
        ("voices:\n", "voices: there is no voice"),
        ("", "voices: there is no voice"),
        ("- kari\n", "is not a mapping"),
        (
            "voices: {kari: {}}\ncharacters: {Ugla: kri}\n",
            ":2 characters.Ugla: there is no voice 'kri'; did you mean 'kari'?",
        ),
        ("voices: {kari: {}}\ncharacters: {Ugla: }\n", ":2 characters.Ugla: has no voice"),
        ("voices: {kari: {}}\ncharacters: {Ugla: kari, UGLA: kari}\n", "is the same character as 'Ugla'"),
        ("voices: {kari: {}}\ncast_names: Ylva\n", ":2 cast_names: is not a list"),
        ("voices: {kari: {}}\ncast_names: [no]\n", ":2 cast_names.0: is not a text; write it in quotes"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    _, problems = read(tmp_path, content)
    assert any(message in problem for problem in problems), problems


def test_a_missing_file_says_how_the_smallest_one_looks(tmp_path: Path) -> None:
    voices, problems = read_voices(tmp_path / "voices.yaml", "espeak")
    assert voices.voices == {} and "voices: {kari: {espeak: {}}}" in problems[0].instead


@pytest.mark.parametrize(
    ("licence", "forbidden"),
    [
        ("CC-BY-NC-4.0", True),
        ("cc-by-nc-sa-4.0", True),
        ("PolyForm-Noncommercial-1.0.0", True),
        ("LicenseRef-research-non-commercial", True),
        ("CC-BY-4.0 AND CC-BY-NC-4.0", True),
        ("(MIT OR CC-BY-NC-4.0)", False),
        ("CC-BY-4.0", False),
        ("CC0-1.0", False),
        ("own", False),
        ("proprietary", False),
        ("GPL-3.0-or-later", False),
        ("ISC", False),
    ],
)
def test_licences_that_forbid_commercial_use_are_known(licence: str, forbidden: bool) -> None:
    assert licence_problem(licence) is None
    assert non_commercial(licence) is forbidden


@pytest.mark.parametrize("licence", ["gratis", "CC-BY", "CC-BY-NC", "GPL", "LicenseRef-", "AND"])
def test_what_is_no_licence_is_a_problem(licence: str) -> None:
    assert licence_problem(licence) is not None


def test_a_non_commercial_voice_stops_a_commercial_build_and_only_that(tmp_path: Path) -> None:
    voices, problems = read(tmp_path, GAME.replace("licence: own", "licence: CC-BY-NC-4.0"))
    assert problems == []
    (problem,) = licence_problems(voices, commercial=True)
    assert "'CC-BY-NC-4.0' forbids commercial use" in str(problem) and problem.row == 7
    assert licence_problems(voices, commercial=False) == []
    assert licence_problems(voices, commercial=True, used=["kari"]) == []
