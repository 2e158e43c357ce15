"""The embedded judge's training; never part of a build, the trained weights are in git.

Needs: the embedded voice, and torch (pip install -e '.[dev]'). About an hour on two cores.
Makes: build/judge/mini.safetensors with its description. scripts/measure_judge.py measures what is installed; to
install a new judge, copy both files to replikk/judges/mini/weights/.
"""


rule judge:
    input:
        f"{BUILD.folder}/judge/mini.safetensors",


rule train_judge:
    output:
        weights=f"{BUILD.folder}/judge/mini.safetensors",
        description=f"{BUILD.folder}/judge/mini.json",
    log:
        f"{BUILD.folder}/logs/train_judge.log",
    conda:
        "../envs/replikk.yaml"
    threads: 2
    params:
        work=f"{BUILD.folder}/judge/work",
    script:
        "../scripts/train_judge.py"


# No outputs: it proposes what to write into config.yaml, from decisions that grow every day, so it runs whenever it is
# asked for. Needs build/plan/lines.jsonl and the store, or a folder of labelled clips (settings: calibrate.clips).
# Makes: build/calibration/ with thresholds.yaml to copy from, calibration.md, calibration.svg and calibration.json.
rule calibrate:
    input:
        plan=rules.plan_lines.output.plan,
    log:
        f"{BUILD.folder}/logs/calibrate_verdict.log",
    conda:
        "../envs/replikk.yaml"
    params:
        script=SCRIPTS / "calibrate_verdict.py",
        config=BUILD.config_path,
        folder=f"{BUILD.folder}/calibration",
    shell:
        "python3 -P {params.script:q} --config {params.config:q} --log {log:q}"
        " --plan {input.plan:q} --folder {params.folder:q}"
