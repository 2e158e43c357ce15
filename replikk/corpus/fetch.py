"""Stage ``fetch``: the recordings of a shard as FLAC in a tar, measured, their speakers hashed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from replikk.corpus.audio_shards import new_shard
from replikk.corpus.folder import CorpusFolder
from replikk.corpus.manifest import Utterance, write_manifest
from replikk.corpus.measures import measure_clip
from replikk.corpus.settings import CorpusSettings
from replikk.corpus.sources import RawClip, list_files, raw_clips
from replikk.corpus.speaker_names import corpus_salt, speaker_hash, utterance_id
from replikk.errors import ReplikkError
from replikk.files import canonical_json, read_json, write_atomic

_LEAST_SPEECH_S = 0.2
_SILENT_DBFS = -60.0


def list_source(settings: CorpusSettings, name: str, target: Path) -> None:
    """The list of a source, once. Raises ReplikkError when there is nothing to fetch."""
    write_atomic(target, canonical_json(list_files(settings.source(name), settings)))


def fetch_clips(settings: CorpusSettings, folder: CorpusFolder, shard: str, listing: Path, target: Path) -> None:
    """Tar, manifest and counts of a shard. Raises ReplikkError when two of its utterances would have one id."""
    source, number = settings.source_of(shard)
    salt = corpus_salt(folder.path, settings.salt)
    rows: list[Utterance] = []
    seen: set[str] = set()
    with new_shard(folder.tar("fetch", shard)) as writer:
        for clip in raw_clips(source, read_json(listing), number, settings, folder.downloads(shard)):
            utterance = _utterance(clip, source.name, source.licence, salt)
            if utterance.id in seen:
                raise ReplikkError(f"{clip.origin}: is in the source '{source.name}' twice; take one of them away")
            seen.add(utterance.id)
            if not utterance.dropped and clip.samples is not None:
                member = writer.add(utterance, clip.samples, clip.sample_rate_hz)
                utterance = replace(utterance, tar=folder.tar_name("fetch", shard), member=member)
            rows.append(utterance)
    write_manifest(target, rows)


def _utterance(clip: RawClip, source: str, licence: str, salt: str) -> Utterance:
    row = Utterance(
        id=utterance_id(source, clip.origin),
        source=source,
        origin=clip.origin,
        speaker=speaker_hash(salt, source, clip.speaker),
        text=clip.text,
        licence=licence,
        facts=clip.facts,
        dropped=clip.dropped,
        why=clip.why,
    )
    if clip.samples is None or row.dropped:
        return row
    measured = measure_clip(clip.samples, clip.sample_rate_hz)
    row = replace(
        row,
        duration_s=round(len(clip.samples) / clip.sample_rate_hz, 4),
        measures=measured.values,
        fingerprint=measured.fingerprint,
    )
    if measured.values["speech_s"] < _LEAST_SPEECH_S or measured.values["level_dbfs"] < _SILENT_DBFS:
        return row.drop(
            "no_speech", f"{measured.values['speech_s']:.2f} s of sound, at {measured.values['level_dbfs']:.0f} dBFS"
        )
    return row
