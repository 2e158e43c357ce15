"""Rule train_lora: train a LoRA on the tokenised corpus, or go on with the run."""

from replikk.stages.running import open_job
from replikk.training.run import train_lora
from replikk.training.settings import read_training_settings

with open_job(paths=["finished"]) as job:
    train_lora(config=job.config, settings=read_training_settings(job.config.training), finished=job.finished)
