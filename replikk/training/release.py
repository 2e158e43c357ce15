"""What a promoted checkpoint becomes: a folder that can be built with, passed on, and checked.

    adapter/        as PEFT reads it: `models: {adapter: …/adapter}` in config.yaml speaks with it
    llm.pt          base model and adapter merged, in the published layout, for other programs
    README.md       model card: what it was made of, what the gate measured, what it is not good for
    decision.json   the gate's decision
    SHA256SUMS      of everything else

Written under a temporary name and renamed; weights are never written over. Where a later gate promotes the same
checkpoint again, card and decision become that gate's, as the gate's own decision does. A release whose weights are not
those of the checkpoint any more (changed by hand, or left by another run of that name) is moved aside and made anew.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.corpus.tokens import read_corpus
from replikk.engines.cosyvoice3.adapters import read_adapter
from replikk.engines.cosyvoice3.export import export_language_model
from replikk.engines.cosyvoice3.merging import merge_adapter
from replikk.engines.cosyvoice3.model_folder import open_model_folder
from replikk.errors import ReplikkError
from replikk.files import canonical_json, read_json, sha256_file, write_if_changed
from replikk.models.licences import model_licences
from replikk.models.present import model_paths
from replikk.models.promoted import released_sums
from replikk.training.checkpoints import read_state
from replikk.training.settings import read_training_settings

log = logging.getLogger(__name__)

_TOLD = ("README.md", "decision.json")
"""What is told of the weights: each gate anew."""


def write_release(config: Config, run: Path, adapter: Path, name: str, decision: Mapping[str, Any]) -> Path:
    """The release folder of a candidate, with card and decision of this gate.

    Raises ReplikkError where it cannot be written.
    """
    target = run / "released" / name.replace("/", ".")
    try:
        if _has_weights_of(target, adapter):
            # Killed half-way, the gate has no decision yet either, and the next one writes all three.
            kept = {path: sha256 for path, sha256 in released_sums(target).items() if path not in _TOLD}
            _tell(target, kept, config, name, adapter, decision)
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".tmp-"))
        temporary.chmod(0o755)
        try:
            shutil.copytree(adapter, temporary / "adapter")
            read = open_model_folder(model_paths(config.models).base).read_language_model()
            merged, _ = merge_adapter(read.state, read_adapter(adapter, read.sizes))
            export_language_model(temporary / "llm.pt", merged, read.sizes)
            _tell(temporary, _sums(temporary), config, name, adapter, decision)
            _move_aside(target)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise ReplikkError(
            f"{target}: cannot be written ({error.strerror or error}); make room, then run again"
        ) from error
    return target


def _has_weights_of(release: Path, adapter: Path) -> bool:
    """Whether everything in a release is as it was made, from this adapter."""
    listed = {path: sha256 for path, sha256 in released_sums(release).items() if path not in _TOLD}
    if "llm.pt" not in listed or not all((release / path).is_file() for path in listed):
        return False
    promoted = {f"adapter/{path}": sha256 for path, sha256 in _sums(adapter).items()}
    return (
        promoted.items() <= listed.items()
        and len(listed) == len(promoted) + 1
        and all(sha256_file(release / path) == sha256 for path, sha256 in listed.items())
    )


def _sums(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}


def _tell(
    release: Path, weights: Mapping[str, str], config: Config, name: str, adapter: Path, decision: Mapping[str, Any]
) -> None:
    """Card, decision and the list of hashes."""
    card = model_card(config, name, read_state(adapter.parent), decision)
    write_if_changed(release / "README.md", card.encode())
    write_if_changed(release / "decision.json", canonical_json(decision))
    sums = {**weights, **{told: sha256_file(release / told) for told in ("README.md", "decision.json")}}
    rows = [f"{sha256}  {path}\n" for path, sha256 in sorted(sums.items())]
    write_if_changed(release / "SHA256SUMS", "".join(rows).encode())


def _move_aside(release: Path) -> None:
    """Under another name no build speaks with it: its decision names this one."""
    if not release.exists():
        return
    taken = sum(1 for _ in release.parent.glob(f"{release.name}.changed*"))
    aside = release.with_name(f"{release.name}.changed{taken + 1}")
    release.rename(aside)
    log.warning("%s: its files are not those of the checkpoint; moved to %s and made anew", release, aside.name)


def model_card(config: Config, name: str, state: Mapping[str, Any], decision: Mapping[str, Any]) -> str:
    """What somebody who gets the folder must know, in Markdown."""
    verdict = next(one for one in decision["verdicts"] if one["name"] == name)
    base = next(licence for licence in model_licences(config.models))
    run = state["run"]
    beside = {**verdict["differences"], **{f"{one}, from outside": of for one, of in verdict["outside"].items()}}
    rows = [
        f"| {tier} | {100 * verdict['wer'][tier]:.1f} % | "
        + " | ".join(
            f"{100 * per['value']:+.1f} ({100 * per['low']:+.1f} to {100 * per['high']:+.1f})"
            for per in (differences[tier] for differences in beside.values())
        )
        + " |"
        for tier in verdict["wer"]
    ]
    controls = list(beside)
    lines = [
        f"# {name}",
        "",
        f"A LoRA for {base.name} ({base.licence}), rank {run['settings']['rank']}, "
        f"after {state['place']['step']} steps.",
        "",
        f"Promoted because it {decision['why']}.",
        "",
        "## What the gate heard",
        "",
        f"First takes of texts in three lengths by {len(decision['voices'])} voices from {len(decision['seeds'])} "
        f"seeds, heard by {decision['judge'].split()[0]}. Word error rate, and points more (+) or fewer (-) than:",
        "",
        "| length | word errors | " + " | ".join(controls) + " |",
        "|---|---|" + "---|" * len(controls),
        *rows,
        "",
        *_direction_lines(name, decision),
        *_likeness_lines(name, decision),
        "## What it was made of",
        "",
        f"- base model: sha256 {run['base']}",
        *(f"- corpus, {split}: {fingerprint}" for split, fingerprint in run["data"].items()),
        *_corpus_lines(config, run["data"]),
        "",
        "## Limits",
        "",
        "- the judge is a machine: it hears words, not whether a voice is pleasant or its melody right",
        "- texts were in bokmål; nynorsk, dialects and names were not measured",
        "- a cloned voice needs the consent of the person it belongs to",
        "",
    ]
    return "\n".join(lines)


def _corpus_lines(config: Config, trained_on: Mapping[str, str]) -> list[str]:
    """Hours and licences from the corpus' own card, where it lies beside the tokens and they are those of the run."""
    tokens = read_training_settings(config.training).corpus_folder(config.build_dir)
    terms = "this adapter may be used only as they and the base model's licence allow"
    card = tokens.parent / "card" / "card.json"
    try:
        figures = read_json(card) if card.is_file() else None
        now = {split: corpus.fingerprint for split, corpus in read_corpus(tokens).items()} if figures else {}
    except ReplikkError:
        figures, now = None, {}
    if not isinstance(figures, dict) or now != trained_on:
        return [f"- the licences of the corpus stand in its own card, which is not at hand here; {terms}"]
    sources = [
        f"- {one['hours']:.3g} hours of {one['name']} ({one['kind']}), licence {one['licence']}"
        for one in figures["sources"]
    ]
    return [*sources, f"- the licences of the corpus: {', '.join(figures['licences'])}; {terms}"]


def _direction_lines(name: str, decision: Mapping[str, Any]) -> list[str]:
    """The word errors of texts that were read with a direction."""
    rates = decision.get("rates", {})
    told = [
        f"{one} {100 * rates[one]['directed']['value']:.1f} %"
        for one in (name, *decision.get("controls", []))
        if "directed" in rates.get(one, {})
    ]
    return [f"Word errors where a direction was given: {', '.join(told)}.", ""] if told else []


def _likeness_lines(name: str, decision: Mapping[str, Any]) -> list[str]:
    """How like the references the voices are, where that was measured."""
    found = decision.get("likeness", {}).get(name)
    if not found:
        return []
    told = ", ".join(f"{tier} {of['value']:.2f} ({of['low']:.2f} to {of['high']:.2f})" for tier, of in found.items())
    return [f"Likeness to the voices' reference recordings, a cosine by {decision['speaker_model']}: {told}.", ""]
