"""Makes the small copy of the golden vectors that the project carries: python tests/data/trim_golden.py FROM TO

The whole set is some 13 MB of random numbers, which do not compress; the copy has at most 4 MB, gzipped without a time
stamp, so that the same input gives the same bytes. Nothing that is kept is changed or rounded. What goes:

- embedding rows that no kept case reads become zero (they compress to nothing), and the unused text head with them;
- rows of the speech head become zero except those of the ids that the greedy cases choose, their strongest rivals
  and the stop ids. Log-probabilities are kept for these ids and few steps; as the sum over all ids is lost, a test can
  only compare them with each other, which the entry ``logp_ids`` of the case tells it. Loss and gradients need the
  whole head and go, too;
- cases of which a kept one is a close relative (``DROPPED``), and some of the sampling cases.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

MOST_BYTES = 4_000_000
DROPPED = ("llm/train_uni", "llm/train_bi", "flow/infer_stream_*", "flow/dit_*_stream")
KEPT_SAMPLING_CASES = 5  # from a flat distribution to one with a single candidate
KEPT_LOGP_ROWS = 6
RIVALS = 8
NEEDS_WHOLE_HEAD = ("out.loss", "out.acc", "grad.", "loss", "acc", "grad_norms")

Case = tuple[dict[str, Tensor], dict[str, Any]]


def main(source: Path, target: Path) -> None:
    """Reads the folder ``source`` and writes ``target`` anew."""
    cases = {
        path.relative_to(source).with_suffix("").as_posix(): read(path) for path in sorted(source.glob("*/*.json"))
    }
    cases = {name: case for name, case in cases.items() if not any(fnmatch(name, pattern) for pattern in DROPPED)}
    trim_language_model(cases)
    trim_flow(cases)
    trim_sampling(cases)
    shutil.rmtree(target, ignore_errors=True)
    for name, (tensors, facts) in cases.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json").write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")
        if tensors:
            packed = gzip.compress(save(tensors), compresslevel=9, mtime=0)
            path.with_suffix(".safetensors.gz").write_bytes(packed)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"{target}: {len(cases)} cases and models, {size} bytes")
    if size > MOST_BYTES:
        sys.exit(f"{target}: {size} bytes are more than {MOST_BYTES}; add cases to DROPPED")


def read(path: Path) -> Case:
    """Tensors (none for a case without) and facts of a case."""
    tensors = path.with_suffix(".safetensors")
    return load_file(tensors) if tensors.exists() else {}, json.loads(path.read_text(encoding="utf-8"))


def trim_language_model(cases: dict[str, Case]) -> None:
    """Embedding rows that are read, head rows that compete."""
    weights, facts = cases["llm/model"]
    specials = [facts[name] for name in ("sos", "eos", "task_id", "fill")]
    text, speech, competing = set[int](), set(specials), set(specials)
    for name, (tensors, case) in cases.items():
        if not name.startswith("llm/") or name == "llm/model":
            continue
        for key, value in tensors.items():
            if key.startswith("in.") and not key.endswith("_len"):
                (speech if "speech" in key else text).update(value.flatten().tolist())
        speech.update(case.get("tokens", []))
        competing.update(case.get("tokens", []))
        if "out.logp" in tensors:
            competing.update(tensors["out.logp"].topk(RIVALS).indices.flatten().tolist())
    keep_rows(weights, "llm.model.model.embed_tokens.weight", text)
    keep_rows(weights, "llm.model.lm_head.weight", set())
    keep_rows(weights, "speech_embedding.weight", speech)
    keep_rows(weights, "llm_decoder.weight", competing)
    for name, (tensors, case) in cases.items():
        if not name.startswith("llm/"):
            continue
        for entries in (tensors, case):
            for key in [key for key in entries if key.startswith(NEEDS_WHOLE_HEAD)]:
                del entries[key]
        if "out.logp" in tensors:
            trim_log_probs(tensors, case, sorted(competing))


def trim_log_probs(tensors: dict[str, Tensor], case: dict[str, Any], ids: list[int]) -> None:
    """Some rows, and of them the entries of some ids; the rest is zero."""
    rows = tensors["out.logp"]
    numbers = case.get("logp_rows", list(range(0, 3 * len(rows), 3)))  # the rule of the cases that do not list them
    kept = sorted({round(i * (len(rows) - 1) / (KEPT_LOGP_ROWS - 1)) for i in range(KEPT_LOGP_ROWS)})
    trimmed = torch.zeros(len(kept), rows.shape[1])
    trimmed[:, ids] = rows[kept][:, ids]
    tensors["out.logp"] = trimmed
    case["logp_rows"] = [numbers[row] for row in kept]
    case["logp_ids"] = ids


def trim_flow(cases: dict[str, Case]) -> None:
    """Rows of the token embedding that are read."""
    used = {0}  # padding
    for name, (tensors, _) in cases.items():
        if name.startswith("flow/"):
            for key in ("in.token", "in.prompt_token", "in.speech_token"):
                used.update(tensors[key].flatten().tolist() if key in tensors else [])
    keep_rows(cases["flow/model"][0], "input_embedding.weight", used)


def trim_sampling(cases: dict[str, Case]) -> None:
    """Evenly chosen distributions of every sampling case."""
    for name, (tensors, facts) in cases.items():
        if not name.startswith("sampling/"):
            continue
        every = facts["cases"]
        chosen = sorted({round(i * (len(every) - 1) / (KEPT_SAMPLING_CASES - 1)) for i in range(KEPT_SAMPLING_CASES)})
        facts["cases"] = [every[number] for number in chosen]
        prefixes = tuple(f"{case['case']}." for case in facts["cases"])
        for key in [key for key in tensors if not key.startswith(prefixes)]:
            del tensors[key]


def keep_rows(weights: dict[str, Tensor], name: str, rows: set[int]) -> None:
    """Sets all other rows to zero."""
    if name in weights:
        index = torch.tensor(sorted(row for row in rows if 0 <= row < len(weights[name])), dtype=torch.int64)
        kept = torch.zeros_like(weights[name])
        kept[index] = weights[name][index]
        weights[name] = kept


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
