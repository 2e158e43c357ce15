"""Judge ``speech-api``: a recogniser behind ``/v1/audio/transcriptions``, on this machine or elsewhere."""
