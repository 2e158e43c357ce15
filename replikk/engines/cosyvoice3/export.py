"""Language model weights in the published layout, so that the published toolkit and vLLM-Omni serve the same voice.

The file is what a strict load expects: the published keys in their order, float32, no counters beside them, and the
tied ``lm_head`` sharing the text embedding's storage (it takes no room). It stands in for ``llm.pt`` of the download.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from replikk.engines.cosyvoice3 import checkpoint_layout as layouts
from replikk.engines.cosyvoice3.checkpoint_files import check_layout, check_values
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.files import write_atomic_by


def export_language_model(path: Path, state: Mapping[str, Tensor], sizes: LanguageModelSizes) -> None:
    """Writes ``state`` (with or without ``lm_head``) as ``llm.pt``; the same weights give the same bytes.

    Raises EngineError where the weights are not those of a whole model or not numbers, ReplikkError where the file
    cannot be written.
    """
    layout = layouts.language_model_layout(sizes)
    check_layout(path, state, layout)
    check_values(path, {key: tensor for key, tensor in state.items() if key != layouts.LM_HEAD})
    published: dict[str, Tensor] = {}
    for key in layout:
        source = layouts.TEXT_EMBEDDING if key == layouts.LM_HEAD else key
        published[key] = published[source] if source in published else _own(state[source])

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # a path would put its random name into the archive
            torch.save(published, file)

    write_atomic_by(path, write)


def _own(tensor: Tensor) -> Tensor:
    """Dense float32 on the CPU that brings no larger storage along: torch saves storages, not views."""
    value = tensor.detach().to("cpu", torch.float32).contiguous()
    return value if value.untyped_storage().nbytes() == value.numel() * 4 else value.clone()
