"""What several rules share: the rounds and shards of this build, and which round comes before which."""

ROUNDS = list(range(BUILD.rounds))
SHARDS = list(range(BUILD.shards))


def verdicts_before(wildcards):
    """The verdicts of the round before: round 0 has none."""
    before = int(wildcards.round) - 1
    return [] if before < 0 else f"{BUILD.folder}/rounds/{before}/verdicts.jsonl"
