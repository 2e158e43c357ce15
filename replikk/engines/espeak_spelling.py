"""What the embedded voice is given instead of spellings that it reads wrongly.

Only the library sees these; the plan, the report and the judge keep the words as they are written. Each is measured:
the pass rate of the embedded judge over three sentences, four voices and four readings, before and after.

- An ending after the name of a letter (*TV-en*, planned as *te ve-en*) was read as a word of its own with a long,
  stressed vowel, and heard as *te ven*. With an apostrophe the library reads one word with a weak ending, as people do:
  *te ve-en* 30 → 44 of 48, *pe se-en* 3 → 27, *ge pe ess-en* 0 → 46, *ess emm ess-en* 5 → 39, *u ess be-en* 31 → 48.
  Not *se-er* (*PC-er*), which the judge hears better as it is (22 of 48) than as *se'er* (11).
- A drawn-out *a* (*jaaa*, *aaah*) was read as the old spelling of *å* with an *a* after it. As two syllables it is
  long: *jaaa* 7 → 40 of 48, *aaah* 0 → 38. *Jaa*, read as *jå*, in one sentence: 1 → 15 of 16.

Names with *aa* (*Haakon*, *Aase*) need none: the library reads them as *å*.
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.letters import NAMES

_ENDINGS = "en|et|a|er|ar|ene|ane|ens|ets|as|ers|ars|enes|anes"
_LETTERS = "|".join(sorted(set(NAMES.values()), key=len, reverse=True))
_ENDING_OF_A_LETTER = re.compile(rf"(?<![\w'-])(?!se-er\b)({_LETTERS})-(?=(?:{_ENDINGS})(?![\w'-]))", re.I)
_DRAWN_OUT_A = re.compile(r"([aA])[aA]{2,}|(?<=\b[jJ])([aA])[aA]\b")


def respell(text: str) -> str:
    """``text`` as the library reads it right; most texts come back as they are."""
    if "-" in text:
        text = _ENDING_OF_A_LETTER.sub(r"\1'", text)
    return _DRAWN_OUT_A.sub(r"\1\2-a", text)
