"""From open recordings of Norwegian speech to a corpus that a voice can be trained on."""
