"""The models of the real voice; never part of a build, the only rule that uses the network.

Needs: settings (models_dir, models) and, for what is not here yet, the Hugging Face hub; no sheets.
Makes: models/ with the base model, the adapter, models.lock.json and LICENCES.md. None of it is an output, because
Snakemake deletes outputs of jobs that fail, and a half-finished download is to be continued. So the job runs whenever
it is asked for, and checks what is here.

`--config models_dir=…` names a copy of your own: it is checked, and neither changed nor completed.
"""

import sys

from replikk.errors import ReplikkError
from replikk.models.opening import open_models

try:
    MODELS = open_models(config)
    keep_places(Path(MODELS.config_path).parent, WRITTEN)
except ReplikkError as error:
    raise Stopped(name_places(str(error), WRITTEN))


rule models:
    log:
        MODELS.log_path,
    localrule: True
    params:
        python=sys.executable,
        script=Path(workflow.basedir) / "scripts" / "fetch_models.py",
        config=MODELS.config_path,
    shell:
        "{params.python:q} -P {params.script:q} --config {params.config:q} --log {log:q}"
