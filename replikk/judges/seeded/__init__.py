"""Faults planted in real audio of the embedded voice, to measure what the verdict finds: see ``measure.py``."""
