"""Clips: trim, loudness, true peak, Ogg. The entry point is ``replikk.audio.delivery``."""
