"""Engine ``speech-api``: a voice behind ``/v1/audio/speech``, on this machine or elsewhere.

It speaks in builds (``engine: speech-api``, ``building``) and as an outside control of the gate
(``training.outside_controls``, ``engine`` alone).
"""
