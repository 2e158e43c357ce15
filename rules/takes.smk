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
        asked=asked_of_round,
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
    shell:
        UNLESS_EMPTY
        + start_of("synthesize_takes")
        + " --plan {input.plan:q} --asked {input.asked:q} --takes {output.takes:q}"
        " --round {wildcards.round} --shard {wildcards.shard} --workers {threads}"


rule transcribe_takes:
    input:
        plan=rules.plan_lines.output.plan,
        asked=rules.synthesize_takes.output.takes,
        settings=BUILD.settings["transcribe_takes"],
    output:
        transcripts=f"{BUILD.folder}/rounds/{{round}}/transcripts.{{shard}}.jsonl",
    log:
        f"{BUILD.folder}/logs/transcribe_takes.{{round}}.{{shard}}.log",
    conda:
        "../envs/replikk.yaml"
    resources:
        gpu=1,
    shell:
        UNLESS_EMPTY
        + start_of("transcribe_takes")
        + " --plan {input.plan:q} --takes {input.asked:q} --transcripts {output.transcripts:q}"
        " --shard {wildcards.shard}"


rule judge_takes:
    input:
        plan=rules.plan_lines.output.plan,
        asked=expand(
            rules.synthesize_takes.output.takes, shard=SHARDS, allow_missing=True
        ),
        transcripts=expand(
            rules.transcribe_takes.output.transcripts, shard=SHARDS, allow_missing=True
        ),
        settings=BUILD.settings["judge_takes"],
    output:
        verdicts=f"{BUILD.folder}/rounds/{{round}}/verdicts.jsonl",
        retries=f"{BUILD.folder}/rounds/{{round}}/retries.jsonl",
    log:
        f"{BUILD.folder}/logs/judge_takes.{{round}}.log",
    conda:
        "../envs/replikk.yaml"
    shell:
        UNLESS_EMPTY
        + start_of("judge_takes")
        + " --plan {input.plan:q} --takes {input.asked:q} --round {wildcards.round}"
        " --verdicts {output.verdicts:q} --retries {output.retries:q}"


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
    shell:
        start_of("select_takes")
        + " --plan {input.plan:q} --verdicts {input.verdicts:q} --selection {output.selection:q}"
