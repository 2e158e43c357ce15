"""Who speaks, without saying who: names become hashes with a salt of this corpus.

The corpora know their speakers by public numbers, and one of them by the names of members of parliament. A hash of
those without a salt could be undone by hashing every name there is. The salt is drawn once per corpus and lies beside
it, readable for its owner only; who passes the corpus on leaves it out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

SALT_FILE = "salt"
_DIGITS = 12


def corpus_salt(folder: Path, wanted: str) -> str:
    """``wanted`` (from the settings), or the corpus' own salt, drawn by the first job that asks."""
    if wanted:
        return wanted
    path = folder / SALT_FILE
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{SALT_FILE}-{os.getpid()}"
    if not path.is_file():
        temporary.write_text(secrets.token_hex(16), encoding="ascii")
        temporary.chmod(0o600)
        try:
            os.link(temporary, path)  # fails where another job was first; its salt counts
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text(encoding="ascii").strip()


def speaker_hash(salt: str, source: str, name: str) -> str:
    """Stands for a speaker; equal names of one source, equal hash."""
    return hmac.new(salt.encode(), f"{source}\0{name}".encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def utterance_id(source: str, origin: str) -> str:
    return hashlib.sha256(f"{source}\0{origin}".encode()).hexdigest()[:16]
