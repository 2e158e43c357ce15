"""What a promoted checkpoint becomes: a folder that can be built with, passed on, and checked.

    adapter/        as PEFT reads it: `models: {adapter: …/adapter}` in config.yaml speaks with it
    llm.pt          base model and adapter merged, in the published layout, for other programs
    README.md       model card: what it was made of, what the gate measured, what it is not good for
    decision.json   the gate's decision
    SHA256SUMS      of everything else

Written under a temporary name and renamed; a release is never written over.
"""

from __future__ import annotations

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
from replikk.files import canonical_json, read_json, sha256_file, write_atomic
from replikk.models.licences import model_licences
from replikk.models.present import model_paths
from replikk.training.checkpoints import read_state
from replikk.training.settings import read_training_settings


def write_release(config: Config, run: Path, adapter: Path, name: str, decision: Mapping[str, Any]) -> Path:
    """The release folder of a candidate, made unless it is there. Raises ReplikkError where it cannot be written."""
    target = run / "released" / name.replace("/", ".")
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".tmp-"))
        temporary.chmod(0o755)
        try:
            shutil.copytree(adapter, temporary / "adapter")
            read = open_model_folder(model_paths(config.models).base).read_language_model()
            merged, _ = merge_adapter(read.state, read_adapter(adapter, read.sizes))
            export_language_model(temporary / "llm.pt", merged, read.sizes)
            state = read_state(adapter.parent)
            write_atomic(temporary / "README.md", model_card(config, name, state, decision).encode())
            write_atomic(temporary / "decision.json", canonical_json(decision))
            sums = [
                f"{sha256_file(path)}  {path.relative_to(temporary)}\n"
                for path in sorted(temporary.rglob("*"))
                if path.is_file()
            ]
            write_atomic(temporary / "SHA256SUMS", "".join(sums).encode())
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise ReplikkError(
            f"{target}: cannot be written ({error.strerror or error}); make room, then run again"
        ) from error
    return target


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
