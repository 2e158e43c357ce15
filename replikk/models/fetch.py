"""``snakemake models``: bring the models of a build here, or check those that are here.

    what is here      every file is read through; what has the right SHA-256 is kept
    the hub           is asked about the files that are not: revision, size, hash. An offer that differs from what
                      catalogue or lock say is an error, before a byte of it is fetched
    the lock          is written: from now on this revision and these hashes, also after an interruption
    the disk          must have room for all of it, before the first file starts
    each file         arrives as a part file, is checked, and only then takes its name

So a file that has its name is whole. A folder that ``models_dir`` names is the user's own: it is read and checked,
and neither the network nor the folder is touched.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from replikk.dialogue.licences import non_commercial
from replikk.errors import ReplikkError
from replikk.files import sha256_file
from replikk.models.catalogue import CARD, ModelFile, PublishedModel, spell_bytes
from replikk.models.hub import HubFile, TotalProgress, download, hub_file
from replikk.models.licences import card_licence, write_licence_record
from replikk.models.lock import LockedFile, LockedModel, locked, pinned, read_lock, write_lock
from replikk.models.present import file_fault, folder_of
from replikk.models.settings import ModelSettings

log = logging.getLogger(__name__)

SPARE_BYTES = 200_000_000  # left free on the disk: file system overhead, logs, and whatever else runs meanwhile
NEWEST = "main"  # the branch whose newest commit a model without a pinned revision starts from
PART = ".part"


@dataclass(frozen=True)
class _Wanted:
    """One file that must be fetched."""

    model: PublishedModel
    revision: str
    file: ModelFile
    """With the size, and mostly the hash, that it must have."""
    place: Path

    @property
    def part(self) -> Path:
        """The unfinished file. It is named by what it becomes, so that no other revision's part is continued."""
        return self.place.with_name(f"{self.place.name}.{(self.file.sha256 or self.revision)[:12]}{PART}")


def fetch_models(settings: ModelSettings) -> None:
    """Fetch what is missing and check everything; log what was done.

    Raises ReplikkError when a model cannot be fetched, or is not what it must be.
    """
    for own in settings.own:
        log.info("%s: is a model of your own, nothing to fetch", own.path)
    if settings.is_local_copy:
        _check_local_copy(settings)
        return
    models_dir = settings.models_dir
    models_dir.mkdir(parents=True, exist_ok=True)
    with _only_one(models_dir):
        lock = read_lock(models_dir)
        wanted: list[_Wanted] = []
        for model in settings.fetched:
            here, missing = _look(model, models_dir, lock)
            entry, offered = _ask(model, missing, models_dir, lock)
            # The lock is written before the download, so that one that is interrupted goes on with the same revision.
            lock[model.name] = dataclasses.replace(entry, files={**entry.files, **here})
            write_lock(models_dir, lock)
            wanted += offered
        _check_room(models_dir, wanted)
        total = TotalProgress(sum(_left_bytes(item) for item in wanted))
        for item in wanted:
            locked_file = _fetch(item, total)
            entry = lock[item.model.name]
            lock[item.model.name] = dataclasses.replace(entry, files={**entry.files, item.file.path: locked_file})
        for model in settings.fetched:
            _finish(model, models_dir, lock)
        write_lock(models_dir, lock)
        log.info("licences: %s", write_licence_record(models_dir, lock))


@contextlib.contextmanager
def _only_one(models_dir: Path) -> Iterator[None]:
    """Two fetches would write into the same part files. The lock ends with the process, however that ends."""
    with (models_dir / ".fetch.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReplikkError(
                f"{models_dir}: another run is fetching models into it; wait until it has ended, then run again"
            ) from None
        yield


def _look(
    model: PublishedModel, models_dir: Path, lock: dict[str, LockedModel]
) -> tuple[dict[str, LockedFile], list[ModelFile]]:
    """The files that are here and right, and those that must be fetched."""
    here: dict[str, LockedFile] = {}
    missing = []
    for file in pinned(model, lock):
        place = models_dir / model.folders[0] / file.path
        if not place.is_file():
            missing.append(file)
            continue
        sha256 = _sha256(place)
        if file.sha256 and sha256 != file.sha256:
            log.warning("%s: is not the file that was published (its SHA-256 differs); it will be replaced", place)
            missing.append(file)
        elif not file.sha256:  # put here by hand; only the hub can say whether it is right
            missing.append(file)
        else:
            here[file.path] = LockedFile(place.stat().st_size, sha256)
    return here, missing


def _ask(
    model: PublishedModel, missing: list[ModelFile], models_dir: Path, lock: dict[str, LockedModel]
) -> tuple[LockedModel, list[_Wanted]]:
    """The lock's entry of a model, and the files to fetch as the hub offers them."""
    entry = locked(model, lock)
    revision = model.revision or (entry.revision if entry is not None else "")
    offers: list[tuple[ModelFile, HubFile]] = []
    for file in missing:
        offer = hub_file(model.repository, revision or NEWEST, file.path)
        if offer is None:
            if file.path == CARD:
                log.warning("%s: has no model card; its licence could not be read from there", model.name)
                continue
            raise ReplikkError(
                f"{model.repository}: has no file {file.path} at revision {revision or NEWEST}; ask for a newer "
                "version of replikk, or name a folder that has the models with --config models_dir=…"
            )
        revision = revision or offer.revision
        offers.append((file, offer))
    if entry is None:
        entry = LockedModel(model.repository, revision, model.licence)
    entry = dataclasses.replace(entry, licence=model.licence)
    files, wanted = dict(entry.files), []
    for file, offer in offers:
        _compare(model, revision, file, offer)
        sure = ModelFile(file.path, offer.bytes, file.sha256 or offer.sha256)
        if sure.sha256:
            files[file.path] = LockedFile(offer.bytes, sure.sha256)
        place = models_dir / model.folders[0] / file.path
        if file.sha256 == "" and sure.sha256 and not file_fault(place, sure) and _sha256(place) == sure.sha256:
            log.info("%s: was put here by hand, and is what the hub has", place)
            continue
        wanted.append(_Wanted(model, revision, sure, place))
    return dataclasses.replace(entry, files=files), wanted


def _compare(model: PublishedModel, revision: str, file: ModelFile, offer: HubFile) -> None:
    """The hub must offer what was pinned. Raises ReplikkError."""
    differs = [
        f"{what} {offered} instead of {expected}"
        for what, offered, expected in (
            ("revision", offer.revision, revision),
            ("size", offer.bytes, file.bytes),
            ("SHA-256", offer.sha256, file.sha256),
        )
        if offered and expected and offered != expected
    ]
    if differs:
        raise ReplikkError(
            f"{model.repository}: {file.path}: the hub offers another file than the one that was pinned "
            f"({'; '.join(differs)}); check HF_ENDPOINT, and do not use that file"
        )


def _left_bytes(item: _Wanted) -> int:
    """How much of a file must still come."""
    size = item.file.bytes or 0
    here = item.part.stat().st_size if item.part.is_file() else 0
    return size - here if here <= size else size


def _check_room(models_dir: Path, wanted: list[_Wanted]) -> None:
    """Raises ReplikkError when the disk has no room for all that is wanted."""
    needed = sum(_left_bytes(item) for item in wanted)
    if not needed:
        return
    free = shutil.disk_usage(models_dir).free
    log.info("%d files to fetch, %s; %s are free", len(wanted), spell_bytes(needed), spell_bytes(free))
    if needed + SPARE_BYTES > free:
        raise ReplikkError(
            f"{models_dir}: {spell_bytes(needed)} must still come and {spell_bytes(SPARE_BYTES)} stay free, but "
            f"only {spell_bytes(free)} are; make room, or make {models_dir} a link to a folder on a larger disk"
        )


def _fetch(item: _Wanted, total: TotalProgress) -> LockedFile:
    """One file: continue it, check it, give it its name."""
    item.place.parent.mkdir(parents=True, exist_ok=True)
    size = item.file.bytes or 0
    if item.part.is_file() and item.part.stat().st_size > size:
        item.part.unlink()
    download(item.model.repository, item.revision, item.file.path, item.part, size, total)
    sha256 = _sha256(item.part)
    if item.file.sha256 and sha256 != item.file.sha256:
        item.part.unlink()
        raise ReplikkError(
            f"{item.place}: what was fetched has the SHA-256 {sha256} instead of {item.file.sha256}, and was thrown "
            "away; run again. If it stays so, the file was changed on its way: check HF_ENDPOINT and the proxy"
        )
    item.part.replace(item.place)
    log.info("%s: %s, checked", item.place, spell_bytes(size))
    return LockedFile(size, sha256)


def _finish(model: PublishedModel, models_dir: Path, lock: dict[str, LockedModel]) -> None:
    """After the last file: parts of other revisions go, the card's licence is read and compared."""
    folder = models_dir / model.folders[0]
    for part in folder.rglob(f"*{PART}"):
        part.unlink()
    card = card_licence(folder / CARD)
    lock[model.name] = dataclasses.replace(lock[model.name], card_licence=card)
    if card and card.casefold() != model.licence.casefold():
        log.warning("%s: its model card names the licence '%s', not %s; read it", model.name, card, model.licence)
    log.info("%s: %s, under %s (%s)", model.name, folder, model.licence, model.url)
    if non_commercial(model.licence) or non_commercial(card):
        log.warning("%s: forbids commercial use; builds with commercial: true refuse it", model.name)


def _check_local_copy(settings: ModelSettings) -> None:
    """Check every file of the user's own copy; no network. Raises ReplikkError that lists all that is wrong."""
    lock = read_lock(settings.models_dir)
    problems: list[str] = []
    for model in settings.fetched:
        folder = folder_of(model, settings.models_dir)
        needed = [file for file in pinned(model, lock) if file.path != CARD]
        if not any((folder / file.path).exists() for file in needed):
            names = ", ".join(name for name in model.folders if name != ".")
            problems.append(
                f"{settings.models_dir}: has no {model.name}; put {model.url} into it (its folder may be called "
                f"{names}), or leave models_dir out to fetch it"
            )
            continue
        problems += filter(None, (_copy_fault(folder / file.path, file, model) for file in needed))
        log.info("%s: %s, under %s (%s)", model.name, folder, model.licence, model.url)
    if problems:
        raise ReplikkError("\n".join(problems))


def _copy_fault(place: Path, file: ModelFile, model: PublishedModel) -> str:
    if fault := file_fault(place, file):
        return f"{place}: {fault}; copy it anew from {model.url}"
    if not file.sha256:
        log.warning("%s: is here, but nobody has pinned its SHA-256, so its content was not checked", place)
    elif (sha256 := _sha256(place)) != file.sha256:
        return f"{place}: has the SHA-256 {sha256} instead of {file.sha256}; copy it anew from {model.url}"
    return ""


def _sha256(path: Path) -> str:
    log.info("%s: checking", path)
    return sha256_file(path)
