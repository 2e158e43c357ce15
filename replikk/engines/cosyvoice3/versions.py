"""Versions of everything in this room that can change the sound: all of them are part of every take key.

They stand here, apart from the code they belong to, because keys are made at the start of a build, without PyTorch.
Raise the one that belongs to a change; takes are then made anew.
"""

from __future__ import annotations

ENGINE = 1
"""Networks, sampling, solver, vocoder, joining."""
PROMPT_TEMPLATE = 1
"""What the language model reads before and beside a text (``prompt_template``)."""
PIECES = 1
"""Where long lines are cut, and the pauses there (``pieces``)."""
FEATURES = 1
"""How spectra are computed from a recording (``features``)."""
REFERENCE = 1
"""What else is done to a reference on its way to its features (``reference``)."""

ALL = {
    "engine": ENGINE,
    "prompt_template": PROMPT_TEMPLATE,
    "pieces": PIECES,
    "features": FEATURES,
    "reference": REFERENCE,
}
