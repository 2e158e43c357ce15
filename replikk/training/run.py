"""One training from its settings: base model and corpus opened and compared, the run begun or gone on with."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from replikk.config import Config
from replikk.corpus.tokens import HELD_OUT, TRAIN, MadeWith, TokenCorpus, read_corpus, text_tokenizer_sha256
from replikk.device_errors import first_sentence, is_out_of_memory, lost_gpu_is_named
from replikk.engines.cosyvoice3 import versions
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.model_folder import ModelFolder, open_model_folder
from replikk.engines.cosyvoice3.networks import choose_device, device_name
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.engines.cosyvoice3.tokenizer import read_tokenizer
from replikk.errors import ReplikkError
from replikk.files import canonical_json, write_atomic
from replikk.locks import job_lock
from replikk.models.present import model_paths, require_models
from replikk.training.batches import check_lengths
from replikk.training.checkpoints import checkpoints, open_run, read_checkpoint, run_record
from replikk.training.settings import TrainingSettings
from replikk.training.state import start_training
from replikk.training.trainer import run_training
from replikk.training.workers import joined_workers

log = logging.getLogger(__name__)


def train_lora(config: Config, settings: TrainingSettings, finished: Path) -> None:
    """Train to the end of the last epoch; ``finished`` then lists the checkpoints.

    Goes on from the newest checkpoint. Raises ReplikkError where base model, corpus and run do not belong together.
    """
    require_models(dataclasses.replace(config.models, adapter=None), config.commercial)
    folder = open_model_folder(model_paths(config.models).base)
    corpora = read_corpus(settings.corpus_folder(config.build_dir))
    device = choose_device(settings.device, "training", "training on the CPU, where an epoch of hours takes weeks")
    run = settings.run_folder(config.build_dir)
    with joined_workers(device, settings.gpus) as workers:
        if device.type == "cuda":
            device = torch.device("cuda", torch.cuda.current_device())
        hashes = folder.content_sha256(config.build_dir / "training" / "hashes.json" if workers.is_first else None)
        read = folder.read_language_model()
        check_corpora(folder, read.sizes, hashes, corpora)
        for corpus in corpora.values():
            check_lengths(corpus, settings.tokens_per_batch)
        record = run_record(
            settings.of_result(),
            {
                "base": hashes["language_model"],
                "data": {split: corpus.fingerprint for split, corpus in sorted(corpora.items())},
                "made_with": asdict(corpora[TRAIN].made_with),
            },
        )
        model = LanguageModel(read.sizes, torch.bfloat16 if settings.precision == "bf16" else torch.float32, device)
        model.load_state(read.state)
        del read
        log.info("training on %s", device_name(device))
        with job_lock(config.build_dir, f"train-{settings.name}") if workers.is_first else contextlib.nullcontext():
            if workers.is_first:
                open_run(run, record)
            workers.wait()  # until the run's folder is in order
            found = checkpoints(run)
            checkpoint = read_checkpoint(found[-1]) if found else None
            splits = corpora[TRAIN], corpora.get(HELD_OUT)
            with _gpu_errors_are_named(run, device):
                run_training(start_training(settings, run, record, model, *splits, workers, checkpoint))
            if workers.is_first:
                _finish(run, record, finished)


@contextlib.contextmanager
def _gpu_errors_are_named(run: Path, device: torch.device) -> Iterator[None]:
    """Raises ReplikkError where the memory is too small, or a GPU stops answering."""
    try:
        with lost_gpu_is_named(device, "checkpoints are kept"):
            yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ReplikkError(
            f"{run}: a batch does not fit into the memory of {device} ({first_sentence(error)}); close other programs "
            "that use it, or begin a run of another training.name with half of training.tokens_per_batch and twice "
            "training.accumulate: its steps are as large. Checkpoints are kept"
        ) from error


def check_corpora(
    folder: ModelFolder, sizes: LanguageModelSizes, hashes: dict[str, str], corpora: dict[str, TokenCorpus]
) -> None:
    """Raises ReplikkError where the corpus was not tokenised for this base model."""
    tokenizer = read_tokenizer(folder.qwen)
    ours = MadeWith(
        text_tokenizer=text_tokenizer_sha256(folder.qwen),
        speech_tokenizer=hashes["speech_tokenizer"],
        prompt_template=versions.PROMPT_TEMPLATE,
        speech_vocabulary=sizes.speech_vocabulary,
        end_of_prompt=tokenizer.end_of_prompt,
    )
    for corpus in corpora.values():
        theirs = corpus.made_with
        wrong = [
            field.name for field in dataclasses.fields(ours) if getattr(ours, field.name) != getattr(theirs, field.name)
        ]
        if wrong:
            raise ReplikkError(
                f"{corpus.folder}: was tokenised for another model ({', '.join(wrong)} differ from {folder.path}); "
                "tokenise it again (snakemake corpus), or set models.base to the model it was made with"
            )
        if len(corpus.text) and not 0 <= corpus.text.min() <= corpus.text.max() < sizes.text_vocabulary:
            raise ReplikkError(f"{corpus.folder}: has text ids that the base model does not know; tokenise it again")


def _finish(run: Path, record: dict[str, Any], finished: Path) -> None:
    names = [path.name for path in checkpoints(run)]
    write_atomic(finished, canonical_json({"run": run.name, "checkpoints": names, **record}))
    log.info("%s: %d checkpoints; which of them speaks better, if any, is for the gate to say", run, len(names))
