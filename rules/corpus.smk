"""A corpus to train on, from open recordings or one's own; never part of a build, which does not need one.

Needs: settings (corpus), recordings or the Hugging Face hub, the recognisers, and the base model for its tokenizers
(snakemake models); no sheets.
Makes: build/corpus/ with a folder for each stage, in it a manifest and counts for each shard, and tar shards of audio
from the stages that make audio; tokens/, which training reads; card/index.html.

One job per shard and stage. Deduplicating and splitting look at all shards at once, from manifests alone.
"""

import sys

from replikk.corpus.opening import open_corpus
from replikk.errors import ReplikkError

CONDA = "conda" in {
    str(method) for method in workflow.deployment_settings.deployment_method
}

try:
    CORPUS = open_corpus(config, environments=CONDA)
    keep_places(Path(CORPUS.config_path).parent, WRITTEN)
except ReplikkError as error:
    raise Stopped(name_places(str(error), WRITTEN))

CORPUS_FOLDER = CORPUS.folder.path
CORPUS_SCRIPTS = Path(workflow.basedir) / "scripts"


wildcard_constraints:
    source="[a-z0-9][a-z0-9_-]*",
    shard=r"[a-z0-9][a-z0-9_-]*-\d{5}",


rule corpus:
    input:
        CORPUS.folder.tokens / "corpus.json",
        CORPUS.folder.card,


rule list_source:
    output:
        listing=CORPUS_FOLDER / "sources" / "{source}.json",
    log:
        f"{CORPUS.logs}/list_source_{{source}}.log",
    conda:
        "../envs/replikk.yaml"
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "list_source.py",
        config=CORPUS.config_path,
        content=CORPUS.content_of_source,
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q} --source {wildcards.source:q}"
        " --target {output.listing:q}"


rule fetch_clips:
    input:
        listing=CORPUS.listing_of_shard,
    output:
        manifest=CORPUS_FOLDER / "fetch" / "{shard}.jsonl",
        counts=CORPUS_FOLDER / "fetch" / "{shard}.json",
        audio=CORPUS_FOLDER / "fetch" / "{shard}.tar",
    log:
        f"{CORPUS.logs}/fetch_clips_{{shard}}.log",
    conda:
        "../envs/replikk.yaml"
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "fetch_clips.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fetch_fingerprint_of_shard,
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q} --shard {wildcards.shard:q}"
        " --listing {input.listing:q} --target {output.manifest:q}"


rule separate_clips:
    input:
        manifest=rules.fetch_clips.output.manifest,
        audio=rules.fetch_clips.output.audio,
    output:
        manifest=CORPUS_FOLDER / "separate" / "{shard}.jsonl",
        counts=CORPUS_FOLDER / "separate" / "{shard}.json",
        audio=CORPUS_FOLDER / "separate" / "{shard}.tar",
    log:
        f"{CORPUS.logs}/separate_clips_{{shard}}.log",
    conda:
        "../envs/demucs.yaml"
    resources:
        gpu=CORPUS.gpus["separate"],
    params:
        python=CORPUS.separator_python,
        script=CORPUS_SCRIPTS / "separate_clips.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fingerprints["separate"],
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q} --shard {wildcards.shard:q}"
        " --manifest {input.manifest:q} --target {output.manifest:q}"


rule check_speakers:
    input:
        manifest=rules.separate_clips.output.manifest,
        audio=[rules.fetch_clips.output.audio, rules.separate_clips.output.audio],
    output:
        manifest=CORPUS_FOLDER / "speakers" / "{shard}.jsonl",
        counts=CORPUS_FOLDER / "speakers" / "{shard}.json",
    log:
        f"{CORPUS.logs}/check_speakers_{{shard}}.log",
    conda:
        "../envs/pyannote.yaml"
    resources:
        gpu=CORPUS.gpus["speakers"],
    params:
        python=CORPUS.speaker_python,
        script=CORPUS_SCRIPTS / "check_speakers.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fingerprints["speakers"],
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q}"
        " --manifest {input.manifest:q} --target {output.manifest:q}"


rule transcribe_clips:
    input:
        manifest=rules.check_speakers.output.manifest,
        audio=[rules.fetch_clips.output.audio, rules.separate_clips.output.audio],
    output:
        manifest=CORPUS_FOLDER / "transcribe" / "{shard}.jsonl",
        counts=CORPUS_FOLDER / "transcribe" / "{shard}.json",
    log:
        f"{CORPUS.logs}/transcribe_clips_{{shard}}.log",
    conda:
        "../envs/replikk.yaml"
    resources:
        gpu=CORPUS.gpus["transcribe"],
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "transcribe_clips.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fingerprints["transcribe"],
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q}"
        " --manifest {input.manifest:q} --target {output.manifest:q}"


rule read_again:
    input:
        manifest=rules.transcribe_clips.output.manifest,
        audio=[rules.fetch_clips.output.audio, rules.separate_clips.output.audio],
    output:
        manifest=CORPUS_FOLDER / "read_again" / "{shard}.jsonl",
        counts=CORPUS_FOLDER / "read_again" / "{shard}.json",
    log:
        f"{CORPUS.logs}/read_again_{{shard}}.log",
    conda:
        "../envs/replikk.yaml"
    resources:
        gpu=CORPUS.gpus["read_again"],
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "read_again.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fingerprints["read_again"],
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q}"
        " --manifest {input.manifest:q} --target {output.manifest:q}"


rule filter_clips:
    input:
        manifest=rules.read_again.output.manifest,
        audio=[rules.fetch_clips.output.audio, rules.separate_clips.output.audio],
    output:
        manifest=CORPUS_FOLDER / "filter" / "{shard}.jsonl",
        counts=CORPUS_FOLDER / "filter" / "{shard}.json",
    log:
        f"{CORPUS.logs}/filter_clips_{{shard}}.log",
    conda:
        "../envs/replikk.yaml"
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "filter_clips.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fingerprints["filter"],
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q} --shard {wildcards.shard:q}"
        " --manifest {input.manifest:q} --target {output.manifest:q}"


rule deduplicate_clips:
    input:
        manifests=expand(rules.filter_clips.output.manifest, shard=CORPUS.shards),
    output:
        manifest=CORPUS.folder.duplicates,
        counts=CORPUS.folder.duplicates.with_suffix(".json"),
    log:
        f"{CORPUS.logs}/deduplicate_clips.log",
    conda:
        "../envs/replikk.yaml"
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "deduplicate_clips.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fingerprints["deduplicate"],
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q}"
        " --manifests {input.manifests:q} --target {output.manifest:q}"


rule split_speakers:
    input:
        manifest=rules.deduplicate_clips.output.manifest,
    output:
        manifest=CORPUS.folder.splits,
        counts=CORPUS.folder.splits.with_suffix(".json"),
    log:
        f"{CORPUS.logs}/split_speakers.log",
    conda:
        "../envs/replikk.yaml"
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "split_speakers.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fingerprints["split"],
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q}"
        " --manifest {input.manifest:q} --target {output.manifest:q}"


rule tokenise_clips:
    input:
        splits=rules.split_speakers.output.manifest,
        audio=[rules.fetch_clips.output.audio, rules.separate_clips.output.audio],
        model=f"{CORPUS.model}/cosyvoice3.yaml" if CORPUS.small_model else [],
    output:
        counts=CORPUS_FOLDER / "tokenise" / "{shard}.json",
    log:
        f"{CORPUS.logs}/tokenise_clips_{{shard}}.log",
    conda:
        "../envs/replikk.yaml"
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "tokenise_clips.py",
        config=CORPUS.config_path,
        fingerprint=CORPUS.fingerprints["tokenise"],
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q} --shard {wildcards.shard:q}"
        " --splits {input.splits:q} --target {output.counts:q}"


rule finish_corpus:
    input:
        expand(rules.tokenise_clips.output.counts, shard=CORPUS.shards),
    output:
        CORPUS.folder.tokens / "corpus.json",
    log:
        f"{CORPUS.logs}/finish_corpus.log",
    conda:
        "../envs/replikk.yaml"
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "finish_corpus.py",
        config=CORPUS.config_path,
        shards=CORPUS.shards,
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q} --shards {params.shards:q}"


rule describe_corpus:
    input:
        # Not before the corpus is whole: a card of nothing would hide that nothing was kept.
        tokens=rules.finish_corpus.output,
        splits=rules.split_speakers.output.manifest,
        audio=expand(
            [rules.fetch_clips.output.audio, rules.separate_clips.output.audio],
            shard=CORPUS.shards,
        ),
    output:
        page=CORPUS.folder.card,
    log:
        f"{CORPUS.logs}/describe_corpus.log",
    conda:
        "../envs/replikk.yaml"
    params:
        python=sys.executable,
        script=CORPUS_SCRIPTS / "describe_corpus.py",
        config=CORPUS.config_path,
        shards=CORPUS.shards,
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q} --shards {params.shards:q}"
        " --target {output.page:q}"


if CORPUS.small_model:

    rule make_small_model:
        output:
            f"{CORPUS.model}/cosyvoice3.yaml",
        log:
            f"{CORPUS.logs}/make_small_model.log",
        conda:
            "../envs/replikk.yaml"
        params:
            python=sys.executable,
            script=CORPUS_SCRIPTS / "make_small_model.py",
            config=CORPUS.config_path,
        shell:
            "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q} --target {output:q}"
