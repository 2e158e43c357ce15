"""When words and letters were said, and what is made of it: word times, subtitles, mouth shapes.

Pure functions on arrays and records. ``ctc`` aligns a known text with a recogniser's probabilities; ``word_times`` puts
a judge's word times on the words of the script; ``webvtt`` and ``mouth_cues`` write them for players and games.
"""
