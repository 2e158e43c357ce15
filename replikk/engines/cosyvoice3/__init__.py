"""Engine ``cosyvoice3``: Fun-CosyVoice3-0.5B-2512 with a LoRA, as batched PyTorch of our own.

The way of a line: text tokens -> language model (speech tokens, 25 a second) -> flow (mel frames, 50 a second) ->
vocoder (24,000 samples a second). What a network is, is one module each; what it is fed with, another; files and their
checks, a third group:

- weights: ``sizes`` (from shapes), ``checkpoint_layout`` (the keys that a network of given sizes must have),
  ``checkpoint_files`` (safe reading, comparison both ways), ``model_folder`` (the download as it is, or converted),
  ``convert`` (one safetensors folder that opens in seconds);
- LoRA: ``adapters`` and ``adapter_config`` (every layout in use -> one), ``merging`` (into the base weights in float32,
  with a report), ``factor`` (merged weights back into a rank-r adapter), ``export`` (the published layout);
- text and reference: tokenizer, prompt template, pieces of long lines, audio features, ONNX models;
- networks: language model with its cache, sampling and in-flight decoding, flow, vocoder.

Rules that hold everywhere: float32 unless said otherwise; sizes come from the weights; a padded batch gives what each
line alone gives; random draws belong to a line and a step, never to a batch. Modules here import torch at the top,
so nothing outside the package imports them before the engine is used; this file imports nothing.
"""
