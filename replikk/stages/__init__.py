"""One module per rule of the build, with one function that the rule's script calls.

The way of a line: ``plan_lines`` → per round ``synthesize_takes``, ``transcribe_takes``, ``judge_takes`` →
``select_takes`` → ``package_assets`` → ``report_quality`` → ``check_release``. Stages read and write manifests (JSON
lines) and do their expensive work through the store, so that running one again costs look-ups only.
"""
