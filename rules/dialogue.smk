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
    params:
        script=SCRIPTS / "plan_lines.py",
        config=BUILD.config_path,
        digest=BUILD.plan.digest,
        fingerprint=BUILD.fingerprints["plan_lines"],
    shell:
        "python3 -P {params.script:q} --config {params.config:q} --log {log:q}"
        " --digest {params.digest}"
        " --plan {output.plan:q}"
