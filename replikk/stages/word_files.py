"""Files beside the clips: word times and mouth shapes of each, and the subtitles of each scene.

    nb/havn/havn_001.words.json   when each word is said, in the clip
    nb/havn/havn_001.mouth.json   mouth shapes, in Rhubarb's format
    nb/havn/havn.vtt              the scene's clips one after the other, as WebVTT

What was written, and from what, stands in the record of what was delivered. For a line that has not changed, two keys
are compared and the size and time of its files looked at; neither audio nor what was heard is read. A clip in which
nobody has heard words (a recording that no judge listened to) has no such file, and its text alone in the subtitles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from replikk.audio.delivery import DeliverySettings, prepare
from replikk.config import Config
from replikk.dialogue.plan import Plan, PlannedLine
from replikk.files import canonical_json, digest, read_json, write_if_changed
from replikk.stages import clip_words
from replikk.stages.clip_words import WantedWords, spoken_words
from replikk.stages.clips import ClipOrder, load_take
from replikk.stages.manifest import MOUTH, SUBTITLES, WORDS
from replikk.stages.packed_lines import FileList, PackedLine, all_lie
from replikk.store import Store

if TYPE_CHECKING:
    from replikk.alignment.word_times import TimedWord

VERSION = 2
"""Raise it when the same words and clips would give other files."""

PlacedFile = tuple[str, int, str]
"""Path below build/assets, size in bytes, SHA-256."""


class NewClip(NamedTuple):
    """A clip that was put into the assets."""

    planned: PlannedLine
    order: ClipOrder
    record: Mapping[str, Any]
    """What the store knows of it."""
    evidence: str
    """Key of the evidence on its take."""


def place_word_files(
    config: Config,
    plan: Plan,
    clips: Sequence[NewClip],
    settings: DeliverySettings,
    store: Store,
    before: Mapping[str, Mapping[str, Any]],
    before_ns: int,
    workers: int,
) -> dict[str, tuple[str, FileList]]:
    """Write the files of ``clips`` that are wanted and are not there as they should be.

    By line id: what they were made from beside the clip, and the files. ``before`` has the records of what the last
    build delivered, by line id, and ``before_ns`` when that was.
    """
    if not (settings.word_times or settings.mouth_cues):
        return {}
    wanted = f"{clip_words.VERSION}.{VERSION}{'w' * settings.word_times}{'m' * settings.mouth_cues}"
    assets = f"{config.build_dir}/assets"
    placed: dict[str, tuple[str, FileList]] = {}
    anew = []
    for clip in clips:
        order, basis = clip.order, f"{wanted} {clip.evidence}"
        known = before.get(order.line_id)
        if known is not None and known.get("basis") == basis and known["clip"] == order.key:
            files = known["beside"]
            if known["path"] == order.path and all_lie(assets, files, before_ns):
                placed[order.line_id] = basis, files
                continue
        anew.append((clip, basis))
    if anew:
        asked = [WantedWords(clip.planned, clip.order.take, clip.evidence) for clip, _ in anew]
        words = spoken_words(config, plan, asked, store, workers)
        for clip, basis in anew:
            placed[clip.order.line_id] = basis, _write_beside(assets, clip, words[clip.evidence], settings, store)
    return placed


def _write_beside(
    assets: str, clip: NewClip, spoken: Sequence[TimedWord], settings: DeliverySettings, store: Store
) -> list[PlacedFile]:
    """The files of one clip; ``spoken`` has its words with times in the take."""
    if not spoken:
        return []
    from replikk.alignment.mouth_cues import letters_of, mouth_cues, rhubarb_json
    from replikk.alignment.shown_words import shown_times
    from replikk.alignment.word_times import shifted, words_json

    order, duration_s = clip.order, clip.record["duration_s"]
    words = shifted(spoken, _head_cut_s(clip, settings, store), duration_s)
    contents = {}
    if settings.word_times:
        shown = shown_times(clip.planned.line.display, words, duration_s)
        contents[WORDS] = words_json(order.line_id, order.path, duration_s, shown)
    if settings.mouth_cues:
        cues = mouth_cues(letters_of(words), duration_s)
        contents[MOUTH] = rhubarb_json(cues, order.path.rpartition("/")[2], duration_s)
    stem = order.path.removesuffix(settings.suffix)
    return [_written(assets, f"{stem}{suffix}", canonical_json(content)) for suffix, content in contents.items()]


def _written(assets: str, path: str, data: bytes) -> PlacedFile:
    # Not synced: a file that a power cut damages is found by its size, and made again from the store.
    write_if_changed(Path(f"{assets}/{path}"), data, sync=False)
    return path, len(data), hashlib.sha256(data).hexdigest()


def _head_cut_s(clip: NewClip, settings: DeliverySettings, store: Store) -> float:
    """How much later than the take its clip begins; negative where silence was put before it."""
    order = clip.order
    if not order.keep_head_s:  # nearly all lines
        return float(clip.record["trimmed_head_s"])
    samples, sample_rate_hz = load_take(store, order.line_id, order.take)
    prepared = prepare(samples, sample_rate_hz, settings, keep_head_s=order.keep_head_s, keep_tail_s=order.keep_tail_s)
    return prepared.trimmed_head_s - prepared.added_head_s


def place_subtitles(
    assets: str,
    plan: Plan,
    packed: Mapping[int, PackedLine],
    before: Iterable[Mapping[str, Any]],
    before_ns: int,
) -> dict[int, dict[str, Any]]:
    """The subtitles of every scene, by number of its first line: path, bytes, sha256, and key, what they were made of.

    ``packed`` are all clips by number of the line; ``before`` the subtitles of the last build.
    """
    scenes: dict[str, list[int]] = {}
    for number in sorted(packed):
        scenes.setdefault(packed[number].path.rpartition("/")[0], []).append(number)
    old = {record["path"]: record for record in before}
    subtitles = {}
    for folder, numbers in scenes.items():
        path = f"{folder}/{folder.rpartition('/')[2]}{SUBTITLES}"
        sources: list[str] = []
        for number in numbers:
            delivered = packed[number].delivered
            sources += (delivered["clip"], delivered["basis"], packed[number].speaker)
        key, known = digest(sources), old.get(path)
        if (
            known is None
            or known["key"] != key
            or not all_lie(assets, [(path, known["bytes"], known["sha256"])], before_ns)
        ):
            data = _subtitles(assets, plan, {number: packed[number] for number in numbers}).encode()
            _, size, sha256 = _written(assets, path, data)
            known = {"path": path, "key": key, "bytes": size, "sha256": sha256}
        subtitles[numbers[0]] = dict(known)
    return subtitles


def speaker_of(plan: Plan, planned: PlannedLine) -> str:
    """Who is said to speak in the subtitles."""
    return planned.line.character or plan.voices[planned.line.voice].label


def _subtitles(assets: str, plan: Plan, spoken: Mapping[int, PackedLine]) -> str:
    """WebVTT of one scene. The word times are read from the files beside the clips, most of which did not change."""
    from replikk.alignment.webvtt import SceneClip, scene_webvtt
    from replikk.alignment.word_times import TimedWord

    def words_of(packed: PackedLine) -> tuple[TimedWord, ...]:
        path = next((path for path, _, _ in packed.beside if path.endswith(WORDS)), None)
        if path is None:
            return ()
        return tuple(
            TimedWord(word["word"], word["start_s"], word["end_s"], word["confidence"])
            for word in read_json(Path(f"{assets}/{path}"))["words"]
        )

    return scene_webvtt(
        [
            SceneClip(
                line_id=packed.delivered["id"],
                speaker=packed.speaker,
                text=plan.lines[number].line.display,
                duration_s=orjson.loads(packed.manifest_row)["duration_s"],
                words=words_of(packed),
            )
            for number, packed in spoken.items()
        ]
    )
