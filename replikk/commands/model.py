"""``replikk model``: which models are meant, and turning them into other files (``model_check`` looks at them).

Models are those of the build's config, unless paths are given. Nothing that exists is replaced unasked, the room for
2 GB is checked before they are written, and each file appears whole or not at all. What it takes to read weights
(PyTorch) is imported when a command runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from replikk.commands.model_targets import (
    check_adapter_target,
    check_converted_target,
    check_exported_target,
    check_room,
)
from replikk.config import Config
from replikk.engines.cosyvoice3.adapter_config import NAME as ADAPTER_CONFIG
from replikk.engines.cosyvoice3.engine import HASHES_FILE
from replikk.engines.cosyvoice3.engine_settings import read_engine_settings
from replikk.engines.cosyvoice3.model_folder import LANGUAGE_MODELS, ModelFolder, open_model_folder
from replikk.errors import EngineError, ReplikkError
from replikk.models.catalogue import BASE, spell_bytes
from replikk.models.licences import ModelLicence, model_licences
from replikk.models.present import missing_models, model_paths
from replikk.models.settings import NO_ADAPTER, ModelSettings, OwnModel

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_FLOAT32_BYTES = 4


@dataclasses.dataclass(frozen=True)
class ChosenModels:
    """The models that a command works on."""

    settings: ModelSettings
    """As the config's, with what was given instead; the licence of a path that was given is empty."""
    language_model: str
    """``llm.pt`` or ``llm.rl.pt``."""

    @property
    def adapter(self) -> Path | None:
        return model_paths(self.settings).adapter

    def terms(self, part: str) -> ModelLicence | None:
        """The terms of ``base`` or ``adapter``; None where there is none, or a bare path says none."""
        return next((terms for terms in model_licences(self.settings) if terms.part == part and terms.licence), None)

    def open_base(self) -> ModelFolder:
        """The base model's folder. Raises ReplikkError with what is missing and the command that fetches it."""
        if missing := missing_models(dataclasses.replace(self.settings, adapter=None)):
            raise EngineError(missing)
        return open_model_folder(model_paths(self.settings).base, self.language_model)


def choose_models(
    config: Config,
    *,
    base: Path | None = None,
    adapter: str | None = None,
    strength: float | None = None,
    language_model: str | None = None,
) -> ChosenModels:
    """The models of ``config``, each replaced by what is given; ``adapter`` is a path or ``none``.

    Raises ReplikkError for a path where nothing is.
    """
    settings = config.models
    if base is not None:
        settings = dataclasses.replace(settings, base=OwnModel(_there("--base", base), ""))
    if adapter is not None:
        own = None if adapter.casefold() == NO_ADAPTER else OwnModel(_there("--adapter", Path(adapter)), "")
        settings = dataclasses.replace(settings, adapter=own)
    if strength is not None:
        settings = dataclasses.replace(settings, adapter_strength=strength)
    if language_model is None:
        spoken = config.engine_settings if config.engine == "cosyvoice3" else {}
        language_model = read_engine_settings(spoken).language_model
    return ChosenModels(settings, language_model)


def convert(config: Config, chosen: ChosenModels, target: Path, *, force: bool = False) -> str:
    """Write the base model as a folder of safetensors; returns what to do with it. Raises ReplikkError."""
    require_torch()
    from replikk.engines.cosyvoice3.convert import convert_model

    source = chosen.open_base()
    check_converted_target(target, force)
    log.info("reading %s", source.path)
    made = convert_model(source, target, config.build_dir / "store" / "cosyvoice3" / HASHES_FILE)
    terms = chosen.terms("base")
    usage: dict[str, object] = {
        "models": {"base": _as_setting(target), "base_licence": terms.licence if terms else BASE.licence}
    }
    if source.language_model.name != LANGUAGE_MODELS[0]:
        usage["engines"] = {"cosyvoice3": {"language_model": source.language_model.name}}
    hint = "" if terms else f" (the licence is that of {BASE.name}; if yours is another model, write its own)"
    size = spell_bytes(sum(path.stat().st_size for path in made.files()))
    return (
        f"{target}: {size} of safetensors, made from {source.path} ({source.language_model.name}); takes that "
        f"the download spoke stay valid. To use it, write into config.yaml{hint}:\n\n{_yaml(usage)}"
    )


def factor(chosen: ChosenModels, merged_file: Path, rank: int, out: Path | None, *, force: bool = False) -> str:
    """Take a merged file apart into a LoRA of ``rank``; with ``out``, write it as PEFT does. Returns what was found.

    Raises ReplikkError for files that do not fit, and for an ``out`` that has an adapter already.
    """
    require_torch()
    from replikk.engines.cosyvoice3.adapters import read_adapter
    from replikk.engines.cosyvoice3.factor import factor_adapter, write_peft_adapter
    from replikk.engines.cosyvoice3.merging import merge_adapter
    from replikk.engines.cosyvoice3.rank_verdict import judge_factoring

    folder = chosen.open_base()
    if out is not None:
        check_adapter_target(out, force)
    log.info("reading %s and %s", folder.language_model, merged_file)
    base = folder.read_language_model()
    adapter = read_adapter(merged_file, base.sizes)
    with quiet_merging():
        tuned, report = merge_adapter(base.state, adapter)
    log.info("factoring %d projections at rank %d (a minute or two at full size)", len(report.changed), rank)
    factored = factor_adapter(base.state, tuned, rank)
    stored = {key: tensor.dtype for key, tensor in adapter.replaced.items()}
    verdict = judge_factoring(base.state, tuned, factored, stored, _other_base(folder, chosen.language_model))
    answer = [report.summary(), factored.summary(), verdict.sentence]
    if out is None:
        return "\n".join(answer)
    tensors = [*factored.others.values(), *(t for change in factored.low_rank.values() for t in (change.a, change.b))]
    check_room(out, _bytes(tensors))
    (out / ADAPTER_CONFIG).unlink(missing_ok=True)  # until the new one is there, the folder does not load
    write_peft_adapter(out, factored)
    lacking = "" if verdict.fits else ", which lacks what is left over"
    answer.append(f"{out}: the adapter at rank {rank}{lacking}, {spell_bytes(_bytes(tensors))}")
    terms = chosen.terms("adapter")
    same = chosen.adapter is not None and chosen.adapter.resolve() == merged_file.resolve()
    licence = terms.licence if terms and same else f"that of {merged_file}"
    answer.append(f"its licence is {licence}. To use it, write into config.yaml:\n")
    usage = {"adapter": _as_setting(out), "adapter_licence": terms.licence if terms and same else "…"}
    return "\n".join([*answer, _yaml({"models": usage})])


def export(chosen: ChosenModels, out: Path, *, force: bool = False) -> str:
    """Write base and adapter as one ``llm.pt`` in the published layout; returns what to do with it.

    Raises ReplikkError for files that do not fit, and for an ``out`` that exists or is one of the sources.
    """
    require_torch()
    from replikk.engines.cosyvoice3.adapters import read_adapter
    from replikk.engines.cosyvoice3.export import export_language_model
    from replikk.engines.cosyvoice3.merging import merge_adapter

    folder, adapter = chosen.open_base(), chosen.adapter
    if adapter is None and not folder.sources:
        raise EngineError(
            f"{folder.language_model}: is that file already, and there is no adapter to merge; name one with --adapter"
        )
    sources = (*folder.files(), *(folder.path / name for name in LANGUAGE_MODELS), *([adapter] if adapter else []))
    check_exported_target(out, sources, force)
    log.info("reading %s", folder.language_model)
    base = folder.read_language_model()
    check_room(out, _bytes(base.state.values()))
    state, said = base.state, f"{folder.language_model}, no adapter"
    if adapter is not None:
        log.info("reading %s", adapter)
        with quiet_merging():
            state, report = merge_adapter(
                base.state, read_adapter(adapter, base.sizes), chosen.settings.adapter_strength
            )
        said = f"{folder.language_model} with {report.summary()}"
    log.info("writing %s", out)
    export_language_model(out, state, base.sizes)
    answer = [
        f"{out}: {spell_bytes(out.stat().st_size)}, {said}",
        "in the published toolkit or vLLM-Omni it takes the place of llm.pt, in a copy of the download",
    ]
    for part, path in (("base", folder.path), ("adapter", adapter)):
        terms = chosen.terms(part)
        if path is not None:
            answer.append(f"licence: {terms.licence if terms else f'that of {path}'} ({part}) goes with the file")
    return "\n".join(answer)


def require_torch() -> None:
    """Raises EngineError with the command that installs PyTorch, where it is missing."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise EngineError(
            "replikk model: PyTorch is not installed; run: pip install 'replikk[gpu]'  (from a checkout: '.[gpu]')"
        ) from error


@contextlib.contextmanager
def quiet_merging() -> Iterator[None]:
    """Merging logs its report, which here is part of the answer: it would stand there twice."""
    merging = logging.getLogger("replikk.engines.cosyvoice3.merging")
    level = merging.level
    merging.setLevel(logging.WARNING)
    try:
        yield
    finally:
        merging.setLevel(level)


def _bytes(tensors: Iterable[Tensor]) -> int:
    """What they take on the disk, in float32."""
    return sum(_FLOAT32_BYTES * tensor.numel() for tensor in tensors)


def _there(option: str, path: Path) -> Path:
    if not path.exists():
        raise ReplikkError(f"{option} {path}: there is no such file or folder; mend the path")
    return path


def _other_base(folder: ModelFolder, used: str) -> str:
    other = next(name for name in LANGUAGE_MODELS if name != used)
    return f"{other}: --language-model {other}" if (folder.path / other).is_file() else other


def _as_setting(path: Path) -> str:
    """A path as config.yaml takes it: a bare name would be looked up among the published models."""
    text = str(path)
    return text if "/" in text or "\\" in text else f"./{text}"


def _yaml(settings: object) -> str:
    text: str = yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)
    return text.rstrip("\n")
