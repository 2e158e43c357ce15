"""Letters that are said by name: single ones, acronyms, initials, and ids such as ``A4`` and ``R2D2``.

Names are spelt the way Norwegian engines read them right: ``dé`` because *de* is the pronoun /di/, ``err`` as in
*herr*. The nine vowels are their own names and stay as they are, and with them the words *i*, *å*, *I dag*,
*Å nei* and the river *å*. Sounds of a reading lesson (*sss*, *mmm*), interjections (*hm*, *pst*), stuttering
(*J-jeg*) and shouted words (*STOPP*) are no acronyms: in capitals only what has no vowel, or stands in the list.
"""

from __future__ import annotations

import re
from itertools import pairwise

from replikk.dialogue.norwegian.tables import listed

NAMES = dict(
    pair.split(":")
    for pair in listed("""
    a:a b:be c:se d:dé e:e f:eff g:ge h:hå i:i j:jodd k:kå l:ell m:emm n:enn o:o p:pe q:ku r:err s:ess t:te u:u v:ve
    w:dobbelt-ve x:eks y:y z:sett æ:æ ø:ø å:å""")
)
_VOWELS = frozenset("aeiouyæøå")
_OTHER_NAMES = {"π": "pi", "α": "alfa", "β": "beta", "γ": "gamma", "δ": "delta", "ω": "omega", "μ": "my", "λ": "lambda"}
_OTHER_NAMES |= {"Ω": "omega", "Δ": "delta", "Σ": "sigma", "σ": "sigma", "ε": "epsilon", "θ": "teta", "φ": "fi"}

_SPELT = frozenset(
    listed("""
    USA UK EU EØS FN VG AS ASA OL EM AI KI IQ UD UDI OECD SUV IT ID PDF BBC DNA RNA AUF SV TV PC CD DVD NRK NSB NHH
    NTNU CSS RSS SSB NHO LO SFO SOS ABC AC DC IP URL USB WWW CV IOC UB PR HR AMK GPS EKG HIV UV ICE API GPU CPU
    BFF GG IRL RNG AOE KO ISS MVP AFK CEO WHO ESC TBA EEG EOS CIO FAA IKT
    ATV AFP HDMI IMDB EF DDR USSR DJ SMS MMS WC PS BMW VW KGB FBI CIA XL XXL OK""")
)
"""Said letter by letter. Consonants alone need no place here unless they end in a doubled letter."""
_SAID_AS_WORDS = {
    word.lower(): word
    for word in listed("""
    Nato Nasa Unesco Unicef Fifa Uefa Aids Lego Nav Sas Sintef Ufo Ikea Obs Ram Pin Sim Gif Lan Opec Asap
    Nokut Json Kiwi Rema Covid Interpol""")
}
_LOWER_CASE_TOO = frozenset(listed("tv pc cd dvd ok sms gps usb pdf wc dj"))
_INTERJECTIONS = frozenset(
    listed("hm pst psst tsk tss pff brr grr shh sh hysj zz pft bzz mm nn ss ff rr ll hmf pfft bzzt grrr brrr kj skj sj")
)
_BEGINS = re.compile(r"[^aeiouyæøå]*")
_ENDS = re.compile(r"[^aeiouyæøå]*$")
_USUAL_BEGINNINGS = frozenset(
    listed("""
    bj bl br ch cl cr dj dr dv fj fl fn fr gj gl gn gr gv hj hv hm hs kj kl kn kr ks kv lj mj nj ph pj pl pn pr ps rh
    sc sf sh sj sk skj sl sm sn sp st sv th tj tr ts tv vl vr wh wr kw zw bz pf sw dw gh gw kh tw sq""")
)
_USUAL_ENDS = frozenset(
    listed("""
    bb bl br bs bt ch ck dd dl dr ds dt ff fl fn fr fs ft gd gg gh gl gn gr gs gt hh kj kk kl kn kr ks kt lb ld lf lg
    lj lk ll lm ln lp ls lt lv lz mb md ml mm mn mp mr ms mt nd ng nk nl nn ns nt nz pf ph pl pn pp pr ps pt rb rd rf
    rg rj rk rl rm rn rp rr rs rt rv rz sch sh sj sk sl sm sn sp ss st ts tj tl tm tn tr tt th vd vl vn vr vs vt xt zz
    tz ht hl hn hr hs hm ws wn wl wk ct""")
)
"""Pairs of consonants with which words begin and end; capitals that do otherwise are no shout."""
_REPEATED = re.compile(r"(.)\1\1|(.)\2$")
_LONGEST_ACRONYM = 5

_SPELT_OUT = re.compile(r"(?<![\w'-])[a-zæøå](?:-[a-zæøå]){2,20}(?![\w'-])", re.I)
_DOTTED = re.compile(r"(?<![\w.])(?:[A-ZÆØÅ]\.){2,8}(?![\w])(?! ?[A-ZÆØÅ][a-zæøå])")
_INITIALS = re.compile(r"(?<![\w.'-])((?:[A-ZÆØÅ]\. ?){1,5})(?=[A-ZÆØÅ][a-zæøå])")
_LETTER_CUE = re.compile(
    r"(?:^|[.!?:] |\b(?:bokstave[nr]|bokstav|lyde[nr]|letter|og|eller|er|en|ein|med|på|til|for) )$", re.I
)
_MIXED = re.compile(r"(?<!\w)(?=[^\W_]{0,12}\d)(?=[^\W_]{0,12}[^\W\d_])[^\W_]{2,16}(?!\w)")
_RUNS = re.compile(r"\d+|[^\W\d_]+")
_WORD = re.compile(
    rf"(?<!\w)(?:[^\W\d_]|[A-ZÆØÅ]{{2,12}}s?|(?:{'|'.join(sorted(_LOWER_CASE_TOO))}))(?!\w)"
    rf"|(?<!\w)(?:{'|'.join(sorted(word.title() for word in _LOWER_CASE_TOO))})(?!\w)"
)


def spell(letters: str) -> str:
    """``NRK`` → *enn err kå*."""
    return " ".join(NAMES.get(letter, letter) for letter in letters.lower())


_HEARD_NAMES = dict(
    pair.split(":")
    for pair in listed("""
    b:bé c:ce,cé,sé d:de f:ef g:gé j:jod,je k:ka l:el m:em n:en p:pé q:qu r:er,ær s:es t:té v:ve,vé
    w:dobbeltve,dobbel-ve x:ex z:set,zett y:yy""")
)
"""Other ways in which a judge writes the name of a letter."""


def letter_names(letter: str) -> tuple[str, ...]:
    """The ways in which a judge may write the name of a letter, the engine's first; a vowel is its own name."""
    lower = letter.lower()
    name = NAMES.get(lower)
    if name is None:
        return (letter,)
    return (name, *(other for other in _HEARD_NAMES.get(lower, "").split(",") if other))


def is_spelt(word: str) -> bool:
    """Whether an acronym in capitals is known to be said letter by letter."""
    return word in _SPELT


def split_ids(text: str) -> str:
    """Put letters and digits that stand together apart: ``A4`` → *a 4*, ``R2D2`` → *err 2 dé 2*, ``level3``."""

    def split(match: re.Match[str]) -> str:
        runs = _RUNS.findall(match[0])
        said = [spell(run) if not run.isdigit() and (len(run) == 1 or _is_code(run)) else run for run in runs]
        return " ".join(said)

    return _MIXED.sub(split, text)


def speak_letters(text: str) -> str:
    """Acronyms, initials and single letters by their names; runs after all digits have become words."""
    text = _SPELT_OUT.sub(_say_spelt_out, text)
    text = _DOTTED.sub(_say_dotted, text)
    text = _INITIALS.sub(_say_initials, text)
    return _WORD.sub(_say_word, text)


def _is_code(run: str) -> bool:
    return run.isupper() and len(run) <= 3


def _say_spelt_out(match: re.Match[str]) -> str:
    """``K-A-T-T`` is spelling, ``s-s-s`` is a sound."""
    letters = match[0].lower().split("-")
    return ", ".join(NAMES[letter] for letter in letters) if len(set(letters)) > 1 else match[0]


def _say_dotted(match: re.Match[str]) -> str:
    from_end = match.string[match.end() : match.end() + 2]
    stop = "." if not from_end.strip() or from_end[-1:].isupper() else ""
    return spell(match[0].replace(".", "")) + stop


def _say_initials(match: re.Match[str]) -> str:
    """``H.C. Andersen``, ``Ole K. Hansen``; but *bokstaven B. Finn den!* is the end of a sentence."""
    letters = [c for c in match[0] if c.isalpha()]
    before = match.string[max(0, match.start() - 16) : match.start()]
    if len(letters) == 1:
        words = before.split()
        # The word before an initial is a name: "Ole K. Hansen". In "S, O, L. Sol!" it is not.
        if not words or not (words[-1].isalpha() and words[-1].istitle() and len(words[-1]) > 1):
            return match[0]
        if _LETTER_CUE.search(before):
            return match[0]
    return " ".join(spell(letter) for letter in letters) + " "


def _say_word(match: re.Match[str]) -> str:
    word, text = match[0], match.string
    if len(word) == 1:
        return _say_single(word, text[match.start() - 1 : match.start()], text[match.end() : match.end() + 2], match)
    lower = word.lower()
    if lower in _LOWER_CASE_TOO and (word.islower() or word.istitle()):
        return spell(word)
    base, ending = word, ""
    if len(word) > 2 and word[-1] == "s" and word[:-1].isupper():
        base, ending = word[:-1], "s"
    if not base.isupper():
        return word
    lower = base.lower()
    if lower in _SAID_AS_WORDS:
        return _SAID_AS_WORDS[lower] + ending
    if base in _SPELT or (len(base) <= _LONGEST_ACRONYM and _is_unspeakable(lower)):
        return spell(base) + ending
    return word


def _is_unspeakable(lower: str) -> bool:
    """Whether no Norwegian word is built so: no vowel, or it begins or ends as none does (*OMG*, *ADHD*, *IMF*)."""
    if any(letter not in NAMES for letter in lower) or lower in _INTERJECTIONS or _REPEATED.search(lower):
        return False
    begins, ends = _BEGINS.match(lower), _ENDS.search(lower)
    if begins is None or ends is None or begins[0] == lower:
        return True
    return not (_usual(begins[0], _USUAL_BEGINNINGS) and _usual(ends[0], _USUAL_ENDS))


def _usual(consonants: str, pairs: frozenset[str]) -> bool:
    return all(a + b in pairs for a, b in pairwise(consonants))


def _say_single(letter: str, before: str, after: str, match: re.Match[str]) -> str:
    lower = letter.lower()
    if lower in _VOWELS or before == "'" or after[:1] == "'":
        return letter
    if letter in _OTHER_NAMES or lower in _OTHER_NAMES:
        return _OTHER_NAMES.get(letter) or _OTHER_NAMES[lower]
    earlier = match.string[max(0, match.start() - 2) : match.start()].lower()
    if after.lower() == "-" + lower or (before == "-" and earlier[:1] == lower):
        return letter  # stuttering: J-jeg
    return NAMES.get(lower, letter)
