"""Rounds of takes: speak, listen, judge; then choose.

Needs: build/plan/lines.jsonl.
Makes: build/rounds/<round>/ takes, transcripts and verdicts (manifests; the work itself is in build/store, which is
no output, because Snakemake deletes outputs of failed jobs), and build/selection.jsonl.

A line that must be tried again is an input of the next round, with the next seed. Nothing here is a job per line.
"""


wildcard_constraints:
    round=r"\d+",
    shard=r"\d+",


rule synthesize_takes:
    input:
        plan=rules.plan_lines.output.plan,
        repairs=BUILD.repairs,
        verdicts=verdicts_before,
        settings=BUILD.settings["synthesize_takes"],
    output:
        takes=f"{BUILD.folder}/rounds/{{round}}/takes.{{shard}}.jsonl",
    log:
        f"{BUILD.folder}/logs/synthesize_takes.{{round}}.{{shard}}.log",
    conda:
        "../envs/replikk.yaml"
    threads: 8
    resources:
        gpu=1,
    params:
        fingerprint=BUILD.fingerprints["synthesize_takes"],
    script:
        "../scripts/synthesize_takes.py"


rule transcribe_takes:
    input:
        plan=rules.plan_lines.output.plan,
        takes=rules.synthesize_takes.output.takes,
        settings=BUILD.settings["transcribe_takes"],
    output:
        transcripts=f"{BUILD.folder}/rounds/{{round}}/transcripts.{{shard}}.jsonl",
    log:
        f"{BUILD.folder}/logs/transcribe_takes.{{round}}.{{shard}}.log",
    conda:
        "../envs/replikk.yaml"
    resources:
        gpu=1,
    params:
        fingerprint=BUILD.fingerprints["transcribe_takes"],
    script:
        "../scripts/transcribe_takes.py"


rule judge_takes:
    input:
        plan=rules.plan_lines.output.plan,
        takes=expand(
            rules.synthesize_takes.output.takes, shard=SHARDS, allow_missing=True
        ),
        transcripts=expand(
            rules.transcribe_takes.output.transcripts, shard=SHARDS, allow_missing=True
        ),
        settings=BUILD.settings["judge_takes"],
    output:
        verdicts=f"{BUILD.folder}/rounds/{{round}}/verdicts.jsonl",
    log:
        f"{BUILD.folder}/logs/judge_takes.{{round}}.log",
    conda:
        "../envs/replikk.yaml"
    params:
        fingerprint=BUILD.fingerprints["judge_takes"],
    script:
        "../scripts/judge_takes.py"


rule select_takes:
    input:
        plan=rules.plan_lines.output.plan,
        verdicts=expand(rules.judge_takes.output.verdicts, round=ROUNDS),
        settings=BUILD.settings["select_takes"],
    output:
        selection=f"{BUILD.folder}/selection.jsonl",
    log:
        f"{BUILD.folder}/logs/select_takes.log",
    conda:
        "../envs/replikk.yaml"
    params:
        fingerprint=BUILD.fingerprints["select_takes"],
    script:
        "../scripts/select_takes.py"
