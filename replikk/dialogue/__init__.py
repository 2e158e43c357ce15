"""What people write: sheets, voices, lexicon, decisions; and the plan that is made of it. No audio, no torch."""
