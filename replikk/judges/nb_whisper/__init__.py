"""Judge ``nb-whisper``: the National Library of Norway's Whisper listens to every voice, real or embedded.

``settings`` and ``model_folder`` (with content hashes) are free of PyTorch, because they run at the start of every
build. ``judge`` is the door; ``windows`` cuts and pads clips, ``network`` holds the weights, ``decoding`` writes what
is heard, ``timing`` says when, ``weighing`` how likely the wanted text is beside it (in long clips by the ``shares`` of
their windows), and ``transcripts`` puts a clip together. ``second_ear`` is a recogniser of another kind (CTC, no
language model).
"""
