"""Measure the embedded judge and write the table into docs/judge.md; run by hand: python scripts/measure_judge.py

Exit status 1 when a target is missed. Needs no torch; takes some minutes.
"""

import argparse
import logging
import sys
from pathlib import Path

from replikk.judges.mini.measure_page import measure_and_write

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voices", type=Path, default=ROOT / "dialogue" / "voices.yaml")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "judge.md")
    parser.add_argument("--voices-per-line", type=int, default=5, help="for planted errors and damage (default 5)")
    parser.add_argument("--seed", type=int, default=1, help="draws other voices, errors and damage")
    parser.add_argument("--log", type=Path, help="write every clip that was heard wrongly here")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, filename=options.log, filemode="w", format="%(message)s")
    sys.exit(0 if measure_and_write(options.voices, options.page, options.voices_per_line, options.seed) else 1)
