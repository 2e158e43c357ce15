"""From what people write to the plan.

Needs: the dialogue folder and config.yaml, both read when Snakemake starts.
Makes: build/plan/lines.jsonl, one record per line with the takes it asks for.
"""


rule plan_lines:
    input:
        settings=BUILD.settings["plan_lines"],
    output:
        plan=f"{BUILD.folder}/plan/lines.jsonl",
    log:
        f"{BUILD.folder}/logs/plan_lines.log",
    conda:
        "../envs/replikk.yaml"
    shell:
        f'sh "$REPLIKK_SCRIPTS"/plan_lines.sh {quote(BUILD.folder)}/plan/known'
        f" {BUILD.plan.digest[:32]}.jsonl {{output.plan:q}} 2> {{log:q}}"
