"""The start of every build: settings checked, plan made, damage found; and what Snakemake must know of them.

Runs while Snakemake reads the Snakefile, so it must be quick when nothing changed: it imports neither numpy nor
pandas, parses no sheet that it has parsed before, and looks at the finished files' size and time only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import replikk
from replikk.config import Config, read_config
from replikk.dialogue.plan import OpenPlan, open_plan
from replikk.engines import engine_licence
from replikk.errors import ReplikkError
from replikk.files import canonical_json, digest, unusable, write_if_changed
from replikk.judges import judge_cache_dir, require_ear
from replikk.models.present import require_judge_models, require_models
from replikk.report.decision_rows import decision_form
from replikk.stages.damage import note_damage, repairs_path

PACKAGING = (
    "stages/package_assets.py", "stages/clips.py", "stages/clip_words.py", "stages/word_files.py",
    "stages/leftovers.py", "stages/manifest.py", "stages/packed_lines.py", "stages/placed_clips.py",
    "audio", "alignment", "dialogue/styles.py", "engines/__init__.py",
)  # fmt: skip


@dataclass(frozen=True)
class Build:
    """What the rules need: folders, counts, and the fingerprints that make a rule run again."""

    folder: str
    plan: OpenPlan
    rounds: int
    shards: int
    config_path: str
    """A file with the settings as this build was started with, command line included, for the jobs to read."""
    strict: bool
    repairs: str
    """A file that grows when a finished file turned out to be damaged: an input of the rules that mend it."""
    fingerprints: Mapping[str, str]
    """By rule: a digest of the settings and the code that only this rule depends on."""
    settings: Mapping[str, str]
    """By rule: a file with its fingerprint, an input of the rule. Snakemake's own memory of parameters lies beside the
    build folder: without these, a build folder that was copied without it would never be brought up to date."""


def open_build(settings: Mapping[str, Any], scripts: Path) -> Build:
    """Check everything a person wrote; ``scripts`` is the folder with one script per rule.

    Raises ReplikkError with all problems, before any audio is made.
    """
    config = read_config(settings)
    try:
        return _open(config, settings, scripts)
    except OSError as error:
        raise unusable(error) from error


def _open(config: Config, settings: Mapping[str, Any], scripts: Path) -> Build:
    if config.engine == "cosyvoice3":
        from replikk.engines.cosyvoice3.engine import HASHES_FILE

        require_models(config.models, config.commercial, config.build_dir / "store" / "cosyvoice3" / HASHES_FILE)
    if config.engine == "speech-api":
        from replikk.engines.speech_api.building import require_licence

        require_licence(config.engine_settings, config.commercial)
        require_ear(config)
    require_judge_models(config.models)
    good = check_rooms(config)
    plan = open_plan(config)  # nothing is written before: where there is no dialogue, no build folder is left behind
    write_if_changed(_good_path(config), good)
    note_damage(config)
    config_path = config.build_dir / "plan" / "config.json"
    write_if_changed(config_path, canonical_json(settings))
    fingerprints = _fingerprints(config, plan, scripts)
    files = {}
    for rule, fingerprint in fingerprints.items():
        files[rule] = config.build_dir / "plan" / "settings" / f"{rule}.txt"
        write_if_changed(files[rule], fingerprint.encode())
    return Build(
        folder=str(config.build_dir),
        plan=plan,
        rounds=config.max_rounds,
        shards=config.shards,
        config_path=str(config_path),
        strict=config.strict,
        repairs=str(repairs_path(config.build_dir)),
        fingerprints=fingerprints,
        settings={rule: str(path) for rule, path in files.items()},
    )


def _good_path(config: Config) -> Path:
    return config.build_dir / "plan" / "settings" / "good.txt"


def check_rooms(config: Config) -> bytes:
    """Settings that stages read long after audio was made, checked by the rooms they belong to.

    Returns what is remembered of good settings: they are not looked at again, because these rooms import numpy. Raises
    ReplikkError with what all of the rooms say.
    """
    settings = [config.thresholds, config.delivery, config.judge, config.judge_settings, config.evidence]
    known = _good_path(config)
    good = digest([settings, _code("judges", "audio")]).encode()
    if known.exists() and known.read_bytes() == good:
        return good
    said = []
    for check in (_check_thresholds, _check_delivery, _check_evidence, _check_judge):
        try:
            check(config)
        except ReplikkError as error:
            said.append(str(error))
    if said:
        raise ReplikkError("\n".join(said))
    return good


def _check_thresholds(config: Config) -> None:
    if config.thresholds:
        from replikk.judges.thresholds import thresholds_from_mapping

        thresholds_from_mapping(config.thresholds)


def _check_delivery(config: Config) -> None:
    if config.delivery:
        from replikk.audio.settings import DeliverySettings

        _, problems = DeliverySettings.from_mapping(config.delivery)
        if problems:
            raise ReplikkError("\n".join(str(problem) for problem in problems))


def _check_evidence(config: Config) -> None:
    if config.evidence:
        from replikk.stages.voice_traits import check_evidence_settings

        check_evidence_settings(config.evidence)


def _check_judge(config: Config) -> None:
    if config.judge_settings or config.judge != "mini":
        from replikk.judges import judge_of

        judge_of(config)


def _fingerprints(config: Config, plan: OpenPlan, scripts: Path) -> dict[str, str]:
    judge = [config.judge, config.judge_settings, _judge_identity(config)]
    code = _code(
        "stages/bench.py", "stages/transcribe_takes.py", "stages/voice_traits.py", "stages/voice_doubts.py", "judges",
        "alignment/ctc.py",
    )  # fmt: skip
    bench = [config.evidence, _evidence_tools(config), code]
    verdicts = _code("stages/judge_takes.py", "stages/judged_lines.py", "dialogue/styles.py")
    form = asdict(decision_form(config.dialogue_dir / "decisions.csv"))
    depends_on: dict[str, list[Any]] = {
        "synthesize_takes": [config.shards, _code("stages/synthesize_takes.py", "stages/recordings.py")],
        "transcribe_takes": [judge, bench],
        "judge_takes": [judge, bench, config.thresholds, verdicts],
        "select_takes": [_code("stages/select_takes.py")],
        "package_assets": [config.delivery, engine_licence(config), _code(*PACKAGING)],
        "report_quality": [form, _code("stages/report_quality.py", "stages/check_release.py", "report")],
        "check_release": [_code("stages/check_release.py")],
    }
    fingerprints = {rule: digest([_content(scripts / f"{rule}.py"), *known]) for rule, known in depends_on.items()}
    return {**fingerprints, "plan_lines": digest([_content(scripts / "plan_lines.sh"), plan.digest])}


def _evidence_tools(config: Config) -> str:
    """The optional measures that are wanted and at hand: installing one must judge anew."""
    if not any(value not in ("", "none") for value in config.evidence.values()):
        return ""
    from replikk.stages.voice_traits import tools_fingerprint

    return tools_fingerprint(config)


def _judge_identity(config: Config) -> str:
    """The contents of the models that a judge listens with. Raises ReplikkError when they are not here."""
    if config.judge != "nb-whisper":
        return ""
    from replikk.judges.nb_whisper.identity import checked_settings, judge_fingerprint

    return judge_fingerprint(checked_settings(config.judge_settings), config.models.models_dir, judge_cache_dir(config))


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _code(*places: str) -> str:
    """A hash of our own modules: Snakemake does not watch what a script imports."""
    root = Path(replikk.__file__).parent
    files: list[Path] = []
    for place in places:
        path = root / place
        files += (
            sorted(f for f in path.rglob("*") if f.suffix in (".py", ".json", ".html", ".css", ".js"))
            if (path.is_dir())
            else [path]
        )
    return digest([[file.name, _content(file)] for file in files])
