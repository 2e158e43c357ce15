"""From chosen takes to what the game ships and what a person reads.

Needs: build/plan/lines.jsonl, build/selection.jsonl and the takes in build/store.
Makes: build/assets/ with one clip per line and manifest.json, build/report/, and build/release.json. check_release runs
only with `strict: true`; in other builds its job would do nothing.

The clips are no declared outputs: a clip whose bytes did not change must keep its modification time, so that game
engines do not import it again, and Snakemake would delete it first.
"""


rule package_assets:
    input:
        plan=rules.plan_lines.output.plan,
        selection=rules.select_takes.output.selection,
        repairs=BUILD.repairs,
        settings=BUILD.settings["package_assets"],
    output:
        manifest=f"{BUILD.folder}/assets/manifest.json",
        changes=f"{BUILD.folder}/changes.json",
    log:
        f"{BUILD.folder}/logs/package_assets.log",
    conda:
        "../envs/replikk.yaml"
    threads: 8
    shell:
        start_of("package_assets")
        + " --plan {input.plan:q} --selection {input.selection:q}"
        " --manifest {output.manifest:q} --changes {output.changes:q} --workers {threads}"


rule report_quality:
    input:
        plan=rules.plan_lines.output.plan,
        selection=rules.select_takes.output.selection,
        manifest=rules.package_assets.output.manifest,
        changes=rules.package_assets.output.changes,
        settings=BUILD.settings["report_quality"],
    output:
        page=f"{BUILD.folder}/report/index.html",
        table=f"{BUILD.folder}/report/report.csv",
        data=f"{BUILD.folder}/report/report.json",
        release=f"{BUILD.folder}/release.json",
    log:
        f"{BUILD.folder}/logs/report_quality.log",
    conda:
        "../envs/replikk.yaml"
    shell:
        start_of("report_quality")
        + " --plan {input.plan:q} --selection {input.selection:q} --manifest {input.manifest:q}"
        " --changes {input.changes:q} --page {output.page:q} --release {output.release:q}"


rule check_release:
    input:
        release=rules.report_quality.output.release,
        settings=BUILD.settings["check_release"],
    output:
        checked=f"{BUILD.folder}/release.checked",
    log:
        f"{BUILD.folder}/logs/check_release.log",
    conda:
        "../envs/replikk.yaml"
    shell:
        start_of("check_release")
        + " --release {input.release:q} --checked {output.checked:q}"
