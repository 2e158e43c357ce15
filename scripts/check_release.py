"""Rule check_release: the release switch. With `strict: true`, a flagged clip nobody has reviewed fails the build."""

from replikk.stages.check_release import check_release
from replikk.stages.running import open_job

with open_job(paths=["release", "checked"]) as job:
    check_release(release_path=job.release, checked=job.checked)
