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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from replikk.audio.delivery import DeliverySettings, prepare
from replikk.config import Config
from replikk.dialogue.plan import Plan, PlannedLine
from replikk.files import canonical_json, digest, read_json, write_if_changed
from replikk.stages import clip_words
from replikk.stages.clip_words import WantedWords, spoken_words
from replikk.stages.clips import ClipOrder, load_take
from replikk.stages.damage import is_intact
from replikk.stages.manifest import MOUTH, SUBTITLES, WORDS
from replikk.store import Store

if TYPE_CHECKING:
    from replikk.alignment.word_times import TimedWord

VERSION = 2
"""Raise it when the same words and clips would give other files."""

PlacedFile = tuple[str, int, str]
"""Path below build/assets, size in bytes, SHA-256."""


class PackedClip(NamedTuple):
    """A clip that lies in the assets."""

    planned: PlannedLine
    order: ClipOrder
    record: Mapping[str, Any]
    """What the store knows of it."""
    evidence: str
    """Key of the evidence on its take."""


class WordFiles(NamedTuple):
    """What lies beside the clips; all of it by line id, the subtitles by the first line of their scene."""

    bases: Mapping[str, str]
    """What the files of a line were made from, beside its clip."""
    beside: Mapping[str, Sequence[PlacedFile]]
    subtitles: Mapping[str, Mapping[str, Any]]
    """path, bytes, sha256, and key: what they were made from."""

    @property
    def paths(self) -> list[str]:
        """All files, below build/assets."""
        scenes = [scene["path"] for scene in self.subtitles.values()]
        return [path for files in self.beside.values() for path, _, _ in files] + scenes


def place_word_files(
    config: Config,
    plan: Plan,
    clips: Sequence[PackedClip],
    settings: DeliverySettings,
    store: Store,
    before: Mapping[str, Mapping[str, Any]],
    before_ns: int,
    workers: int,
) -> WordFiles:
    """Write what is wanted and is not there as it should be; ``before`` is what the last build delivered, and when."""
    if not (settings.word_times or settings.mouth_cues):
        return WordFiles({}, {}, {})
    wanted = f"{clip_words.VERSION}.{VERSION}{'w' * settings.word_times}{'m' * settings.mouth_cues}"
    assets = f"{config.build_dir}/assets"
    bases, beside, anew = {}, {}, []
    for clip in clips:
        order = clip.order
        line_id = order.line_id
        bases[line_id] = basis = f"{wanted} {clip.evidence}"
        known = before.get(line_id)
        if known is not None and known.get("basis") == basis and known["clip"] == order.key:
            files = known["beside"]
            if known["path"] == order.path and _all_lie(assets, files, before_ns):
                beside[line_id] = files
                continue
        anew.append(clip)
    if anew:
        asked = [WantedWords(clip.planned, clip.order.take, clip.evidence) for clip in anew]
        words = spoken_words(config, plan, asked, store, workers)
        for clip in anew:
            beside[clip.order.line_id] = _write_beside(assets, clip, words[clip.evidence], settings, store)
    subtitles = _write_subtitles(assets, plan, clips, bases, beside, before, before_ns) if settings.word_times else {}
    return WordFiles(bases, beside, subtitles)


def _write_beside(
    assets: str, clip: PackedClip, spoken: Sequence[TimedWord], settings: DeliverySettings, store: Store
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


def _all_lie(assets: str, files: Sequence[PlacedFile], before_ns: int) -> bool:
    for path, size, sha256 in files:  # noqa: SIM110 - a generator costs as much as the look, for every line of the game
        if not is_intact(f"{assets}/{path}", size, sha256, before_ns):
            return False
    return True


def _written(assets: str, path: str, data: bytes) -> PlacedFile:
    # Not synced: a file that a power cut damages is found by its size, and made again from the store.
    write_if_changed(Path(f"{assets}/{path}"), data, sync=False)
    return path, len(data), hashlib.sha256(data).hexdigest()


def _head_cut_s(clip: PackedClip, settings: DeliverySettings, store: Store) -> float:
    """How much later than the take its clip begins; negative where silence was put before it."""
    order = clip.order
    if not order.keep_head_s:  # nearly all lines
        return float(clip.record["trimmed_head_s"])
    samples, sample_rate_hz = load_take(store, order.line_id, order.take)
    prepared = prepare(samples, sample_rate_hz, settings, keep_head_s=order.keep_head_s, keep_tail_s=order.keep_tail_s)
    return prepared.trimmed_head_s - prepared.added_head_s


def _write_subtitles(
    assets: str,
    plan: Plan,
    clips: Sequence[PackedClip],
    bases: Mapping[str, str],
    beside: Mapping[str, Sequence[PlacedFile]],
    before: Mapping[str, Mapping[str, Any]],
    before_ns: int,
) -> dict[str, dict[str, Any]]:
    """The subtitles of every scene, by its first line."""
    scenes: dict[str, list[PackedClip]] = {}
    for clip in clips:
        scenes.setdefault(clip.order.path.rpartition("/")[0], []).append(clip)
    old = {record["subtitles"]["path"]: record["subtitles"] for record in before.values() if "subtitles" in record}
    subtitles = {}
    for folder, spoken in scenes.items():
        path = f"{folder}/{folder.rpartition('/')[2]}{SUBTITLES}"
        sources: list[str] = []
        for clip in spoken:
            sources += (clip.order.key, bases[clip.order.line_id], _speaker(plan, clip))
        key, known = digest(sources), old.get(path)
        if (
            known is None
            or known["key"] != key
            or not _all_lie(assets, [(path, known["bytes"], known["sha256"])], before_ns)
        ):
            data = _subtitles(assets, plan, spoken, beside).encode()
            _, size, sha256 = _written(assets, path, data)
            known = {"path": path, "key": key, "bytes": size, "sha256": sha256}
        subtitles[spoken[0].order.line_id] = dict(known)
    return subtitles


def _speaker(plan: Plan, clip: PackedClip) -> str:
    line = clip.planned.line
    return line.character or plan.voices[line.voice].label


def _subtitles(
    assets: str, plan: Plan, spoken: Sequence[PackedClip], beside: Mapping[str, Sequence[PlacedFile]]
) -> str:
    """WebVTT of one scene. The word times are read from the files beside the clips, most of which did not change."""
    from replikk.alignment.webvtt import SceneClip, scene_webvtt
    from replikk.alignment.word_times import TimedWord

    def words_of(line_id: str) -> tuple[TimedWord, ...]:
        path = next((path for path, _, _ in beside[line_id] if path.endswith(WORDS)), None)
        if path is None:
            return ()
        return tuple(
            TimedWord(word["word"], word["start_s"], word["end_s"], word["confidence"])
            for word in read_json(Path(f"{assets}/{path}"))["words"]
        )

    return scene_webvtt(
        [
            SceneClip(
                line_id=clip.order.line_id,
                speaker=_speaker(plan, clip),
                text=clip.planned.line.display,
                duration_s=clip.record["duration_s"],
                words=words_of(clip.order.line_id),
            )
            for clip in spoken
        ]
    )
