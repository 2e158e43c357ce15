"""Human recordings (status ``external``) enter the build here: decoded once and kept as a take like any other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from replikk.audio.recordings import read_recording
from replikk.dialogue.plan import PlannedLine
from replikk.dialogue.take_keys import external_key
from replikk.errors import AudioError
from replikk.files import sha256_file
from replikk.store import Store

log = logging.getLogger(__name__)


def import_recordings(missing: Mapping[str, PlannedLine], store: Store) -> dict[str, str]:
    """Keep the recordings of the lines in ``missing`` (by take key); returns the reasons of those that failed."""
    failed = {}
    for key, planned in missing.items():
        try:
            recording = read_recording(Path(planned.recording))
            if external_key(sha256_file(Path(planned.recording))) != key:
                # Kept under this key, it would be taken for the old recording should that ever come back.
                raise AudioError(f"{planned.recording}: was changed while the build was running; run again")
            for remark in recording.remarks:
                log.info("[%s] %s: %s", planned.line.id, planned.recording, remark)
            store.put_take(key, recording.samples, recording.sample_rate_hz)
        except AudioError as error:
            log.warning("[%s] %s", planned.line.id, error)
            failed[key] = str(error)
    return failed
