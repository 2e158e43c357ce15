"""``replikk model check``: every file of the real voice opened, compared with what it must be, and described.

A part that is wrong does not keep the others from being looked at, so that one run says everything. The bytes
themselves are compared with their SHA-256 by ``snakemake models``; here is asked whether the engine can use them.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from replikk.commands.model import ChosenModels, quiet_merging, require_torch
from replikk.config import Config
from replikk.engines.cosyvoice3.adapter_paths import adapter_files
from replikk.engines.cosyvoice3.model_folder import ModelFolder
from replikk.errors import EngineError, ReplikkError
from replikk.models.catalogue import spell_bytes
from replikk.models.licences import model_licence_problems, model_licences
from replikk.models.present import missing_models

if TYPE_CHECKING:
    from torch import Tensor

    from replikk.engines.cosyvoice3.checkpoint_files import LanguageModelWeights

log = logging.getLogger(__name__)


def check_models(config: Config, chosen: ChosenModels) -> str:
    """A description of base model and adapter, all of it checked; some seconds for each GB.

    Raises ReplikkError with one sentence for each file that is wrong.
    """
    require_torch()
    if missing := missing_models(chosen.settings):
        raise EngineError(missing)
    folder = chosen.open_base()
    rows: list[str] = []
    problems: list[str] = []

    def look(path: Path, describe: Callable[[], str]) -> None:
        log.info("reading %s", path)
        try:
            said = describe()
        except ReplikkError as error:
            problems.append(str(error))
        else:
            name = path.name if path.is_relative_to(folder.path) else str(path)
            rows.append(f"  {name}{_size(path) if path != folder.qwen else ''}: {said}")

    read: list[LanguageModelWeights] = []  # stays empty where the file is wrong: then nothing can be said of an adapter

    def language_model() -> str:
        read.append(folder.read_language_model())
        return _language_model(read[0])

    look(folder.language_model, language_model)
    if read:
        look(folder.qwen, lambda: _tokenizer(folder, read[0]))
        if chosen.adapter is not None:
            adapter = chosen.adapter
            look(adapter, lambda: _adapter(adapter, read[0], chosen.settings.adapter_strength))
    read.clear()
    look(folder.flow, lambda: _flow(folder))
    look(folder.vocoder, lambda: _vocoder(folder))
    look(folder.speech_tokenizer, lambda: _onnx_models(folder))
    if problems:
        raise EngineError("\n".join(problems))
    kind = "a converted folder" if folder.sources else "as published"
    rows = [f"{folder.path} ({kind}):", *rows]
    for terms in model_licences(chosen.settings):
        if terms.licence:
            rows.append(f"licence of {terms.name}: {terms.licence}")
    rows += [f"note: {problem}" for problem in model_licence_problems(chosen.settings, config.commercial)]
    return "\n".join([*rows, "every key, shape and value was checked: the engine can speak with these"])


def _language_model(read: LanguageModelWeights) -> str:
    sizes = read.sizes
    return (
        f"language model, {sizes.layers} layers of {sizes.hidden}, {sizes.heads} heads ({sizes.kv_heads} for keys and "
        f"values), {sizes.speech_vocabulary} speech tokens, {_count(read.state)}"
    )


def _tokenizer(folder: ModelFolder, read: LanguageModelWeights) -> str:
    from replikk.engines.cosyvoice3.tokenizer import read_tokenizer

    tokenizer, rows = read_tokenizer(folder.qwen), read.sizes.text_vocabulary
    if tokenizer.size > rows:
        raise EngineError(
            f"{folder.qwen}: the tokenizer has {tokenizer.size} tokens, and {folder.language_model.name} knows {rows}; "
            "take both from the same download"
        )
    return f"text tokenizer, {tokenizer.size} tokens, which fit the {rows} that the language model knows"


def _adapter(path: Path, read: LanguageModelWeights, strength: float) -> str:
    from replikk.engines.cosyvoice3.adapters import read_adapter
    from replikk.engines.cosyvoice3.checkpoint_layout import projections
    from replikk.engines.cosyvoice3.merging import merge_adapter

    adapter = read_adapter(path, read.sizes)
    with quiet_merging():
        _, report = merge_adapter(read.state, adapter, strength)
    counters = ", ".join(f"{name} {value}" for name, value in sorted(adapter.counters.items()))
    ranks = sorted({change.rank for change in adapter.low_rank.values()})
    about = ", ".join(
        [*([f"rank {' and '.join(map(str, ranks))}"] if ranks else []), *([counters] if counters else [])]
    )
    rows = [
        f"{adapter.layout}{f' ({about})' if about else ''}; at strength {strength:g} it changes "
        f"{len(report.changed)} of {report.projections} projections (size of the change relative to the weights)"
    ]
    kinds: dict[str, list[float]] = defaultdict(list)
    for module in projections(read.sizes.layers):
        if module in report.changed:
            kinds[module.rpartition(".")[2]].append(report.changed[module])
    for kind, found in kinds.items():
        rows.append(f"    {kind:<10} {len(found):>4}  {min(found):.3%} to {max(found):.3%}")
    rows += [f"    {key}  {size:.3%}" for key, size in report.others.items()]
    return "\n".join(rows)


def _flow(folder: ModelFolder) -> str:
    read = folder.read_flow()
    return f"flow, {read.sizes.blocks} blocks of {read.sizes.hidden}, {read.sizes.heads} heads, {_count(read.state)}"


def _vocoder(folder: ModelFolder) -> str:
    read = folder.read_vocoder()
    return f"vocoder, {len(read.sizes.upsample_rates)} stages from {read.sizes.base_channels}, {_count(read.state)}"


def _onnx_models(folder: ModelFolder) -> str:
    from replikk.engines.cosyvoice3.onnx_models import open_reference_models

    open_reference_models(folder.speech_tokenizer, folder.speaker_encoder)
    speaker = folder.speaker_encoder
    return f"speech tokenizer, and {speaker.name}{_size(speaker)}, speaker encoder; both open and take what they must"


def _count(state: Mapping[str, Tensor]) -> str:
    return f"{sum(tensor.numel() for tensor in state.values()) / 1e6:.1f} million weights"


def _size(path: Path) -> str:
    """In brackets; of an adapter's folder, what its files have together."""
    files = adapter_files(path) if path.is_dir() else (path,)
    return f" ({spell_bytes(sum(file.stat().st_size for file in files))})"
