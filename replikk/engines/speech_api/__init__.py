"""Engine ``speech-api``: a voice behind ``/v1/audio/speech``, on this machine or elsewhere.

So far it speaks as an outside control of the gate (``training.outside_controls``), and not in builds.
"""
