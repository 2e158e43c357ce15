# Rule plan_lines: write the plan that was made, checked and remembered when Snakemake started.
# A copy of a file needs no Python, whose start costs more than the copy. Arguments: a folder of remembered plans, how
# the plan's name ends, the file to write.
set -eu

for known in "$1"/*."$2"; do
    if [ -f "$known" ]; then
        # In one step, and on the disk before it has its name: a kill must not leave half a plan.
        cp -- "$known" "$3.tmp"
        sync -- "$3.tmp"
        mv -- "$3.tmp" "$3"
        exit 0
    fi
done
echo "$1: the plan of this build was removed while the build was starting; run again" >&2
exit 1
