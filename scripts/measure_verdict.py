"""Measure what the verdict finds and write the table into docs/verdict.md: python scripts/measure_verdict.py

Exit status 1 when a target is missed. Needs no torch; takes some minutes.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # products this small are six times as dear on two threads

from replikk.judges.seeded.page import measure_and_write

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voices", type=Path, default=ROOT / "dialogue" / "voices.yaml")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "verdict.md")
    parser.add_argument("--clips", type=int, default=120, help="of every fault in every band (default 120)")
    parser.add_argument("--seed", type=int, default=1, help="draws other lines, voices and faults")
    parser.add_argument("--log", type=Path, help="write every clip that was judged wrongly here")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, filename=options.log, filemode="w", format="%(message)s")
    sys.exit(0 if measure_and_write(options.voices, options.page, options.clips, options.seed) else 1)
