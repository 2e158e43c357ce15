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
