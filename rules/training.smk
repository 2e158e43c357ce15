"""Training a LoRA, and the gate that promotes one; never part of a build, which needs neither.

Needs: settings, the base model (snakemake models), and a tokenised corpus (snakemake corpus); no sheets.
Makes: build/training/<name>/ with checkpoints and metrics. Checkpoints are no outputs, because Snakemake deletes outputs
of jobs that fail or are killed, and each of them may be the one that speaks best. The only output is the small file that
says that the run has come to its end; and the gate's decision, with page, readings and clips beside it, and the release.
"""

import sys

from replikk.errors import ReplikkError
from replikk.training.opening import open_training

try:
    # What the gate could not be held with is told before a week of training.
    TRAINING = open_training(config, promotes="promote" in sys.argv[1:])
    keep_places(Path(TRAINING.config_path).parent, WRITTEN)
except ReplikkError as error:
    raise Stopped(name_places(str(error), WRITTEN))


rule train:
    input:
        TRAINING.finished,


rule train_lora:
    input:
        corpus=TRAINING.corpus,
        settings=TRAINING.settings,
    output:
        finished=TRAINING.finished,
    log:
        f"{TRAINING.logs}/train_lora.log",
    conda:
        "../envs/replikk.yaml"
    threads: 8
    resources:
        gpu=TRAINING.gpus,
    params:
        # Several GPUs: one process each, started by torchrun.
        python=(
            [sys.executable, "-P"]
            if TRAINING.gpus == 1
            else [
                sys.executable,
                "-m",
                "torch.distributed.run",
                "--standalone",
                f"--nproc-per-node={TRAINING.gpus}",
                "--",
            ]
        ),
        script=Path(workflow.basedir) / "scripts" / "train_lora.py",
        config=TRAINING.config_path,
        fingerprint=TRAINING.fingerprint,
    shell:
        "{params.python:q} {params.script:q} --config {params.config:q} --log {log:q} --finished {output.finished:q}"


rule promote:
    input:
        TRAINING.decision,


rule promote_checkpoint:
    input:
        finished=TRAINING.finished,
        settings=TRAINING.gate_settings,
    output:
        decision=TRAINING.decision,
    log:
        f"{TRAINING.logs}/promote_checkpoint.log",
    conda:
        "../envs/replikk.yaml"
    threads: 8
    resources:
        gpu=1,
    params:
        python=sys.executable,
        script=Path(workflow.basedir) / "scripts" / "promote_checkpoint.py",
        config=TRAINING.config_path,
        fingerprint=TRAINING.gate_fingerprint,
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q}"
        " --decision {output.decision:q} --workers {threads}"
