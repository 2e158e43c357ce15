"""Training of the voice: a LoRA on precomputed tokens, its checkpoints, and the gate that lets one of them speak."""
