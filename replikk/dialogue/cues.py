"""Stage cues in a text: ``(hvisker)``, ``*ler høyt*``, ``[sukker]``, ``<sigh>``.

A cue is direction, never speech. One that says *how* to speak becomes style, a sound that nobody can be told to make
is dropped (with a remark), ``(pause)`` is silence. The hard part is to leave ordinary text alone: "(og det var bra)"
is spoken, and so is the stressed word in "Vær *stille* nå!".

- A phrase is a cue when all of its words are known: cue words, what qualifies them ("litt", "høyt"), "og".
- Unmistakable verbs (``hvisker``, ``roper``, ``ler``) may be followed by up to three other words ("roper over
  gjerdet"), but not by a pronoun or a question mark: "(ler du av meg?)" is speech.
- Between asterisks, which also mark stress, a word that can be stressed ("stille", "sint", "sukker") is a cue only
  where it stands apart: before or between sentences, not in one. A verb right after a pronoun ("hun *hvisker* jo")
  is stressed too.

Words are Bokmål, Nynorsk and English.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto


class CueKind(Enum):
    STYLE = auto()
    DROP = auto()
    PAUSE = auto()


@dataclass(frozen=True)
class Cue:
    """One direction found in a text."""

    kind: CueKind
    phrase: str
    """The direction in lower case: a style for ``STYLE``, else for the remark."""
    pause_ms: int = 0
    unmistakable: bool = False
    """Cannot be ordinary text, wherever it stands."""


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Unmistakable verbs and their participles.
_STYLE_VERBS = _words(
    "hvisker kviskrar kviskrer hviskende kviskrande whispers whispering roper ropar ropende ropande shouts "
    "shouting skriker skrik skrikende skrikande screams screaming yells yelling brøler brølar roars mumler mumlar "
    "mumlende mumlande mumbles mumbling mutters muttering murmurs"
)
_SOUND_VERBS = _words(
    "ler leende leande laughs laughing chuckles giggles giggling fniser fnisar fnisende fnisande gråter græt "
    "gråtende gråtande cries crying sobs sobbing hulker hulkar snufser snufsar sniffs kremter kremtar hoster "
    "hostar coughs coughing gjesper gjespar yawns yawning nyser sneezes hikker hikkar stønner stønnar groans "
    "gisper gispar gasps humrer humrar"
)
# Words that also stand in ordinary text.
_STYLES = _words(
    "hvisk kvisk whisper rop shout stille stilt lavt lågt høyt høgt rolig roleg ivrig entusiastisk begeistret "
    "begeistra trist sint sinna glad redd overrasket overraska nervøs nervøst fortvilet fortvila ironisk bestemt "
    "streng strengt alvorlig alvorleg varmt mildt kaldt nølende nølande ettertenksom ettertenksomt ettertenksamt "
    "drømmende drøymande forsiktig fort sakte raskt langsomt trøtt trøytt sliten irritert oppgitt lettet letta "
    "skuffet skuffa stolt forvirret forvirra nysgjerrig lattermild gråtkvalt muntert blidt hemmelighetsfullt "
    "undrende undrande smiler smilar smilende smilande muttert quietly softly loudly calmly slowly quickly "
    "excited excitedly eager eagerly sad sadly angry angrily happy happily scared afraid surprised nervous "
    "nervously thoughtful thoughtfully curious tired confused proud proudly serious seriously smiles smiling "
    "sarcastic sarcastically gently sternly"
)
_SOUNDS = _words(
    "sukker sukkar sukk sukkende sukkande sighs sigh sighing ler latter laughter laugh giggle chuckle fnis gråt "
    "sob kremt kremting host hosting cough gjesp yawn nys sneeze hikk hikke hulk snufs sniff stønn groan gisp "
    "gasp plystrer plystrar plystring whistles nynner nynnar nynning hums nikker nikkar nods vinker vinkar waves "
    "blunker blunkar winks klapper klappar claps applaus applause jubel musikk music puster pustar breathes"
)
_HEADS = _STYLES | _SOUNDS | _STYLE_VERBS | _SOUND_VERBS
_PAUSES = {
    **dict.fromkeys(_words("pause stillhet stillheit taushet togn silence beat"), 500),
    **dict.fromkeys(["kort pause", "liten pause", "lita pause", "short pause", "brief pause"], 250),
    **dict.fromkeys(["lang pause", "lengre pause", "long pause"], 1500),
}
_QUALIFIERS = _words(
    "litt veldig svært ganske så helt nesten mer meir høyt høgt høylytt lavt lågt stille svakt tungt dypt djupt "
    "kort lenge mykt surt bittert lett kraftig hjertelig hjarteleg nervøst oppgitt forsiktig sakte sint trist "
    "glad glade lettet for seg selv sjølv hest a bit little very slightly almost loudly softly "
    "quietly deeply heavily nervously"
)
# Whole phrases that are built otherwise.
_PHRASES = {
    "til seg selv": CueKind.STYLE,
    "til seg sjølv": CueKind.STYLE,
    "for seg selv": CueKind.STYLE,
    "for seg sjølv": CueKind.STYLE,
    "to himself": CueKind.STYLE,
    "to herself": CueKind.STYLE,
    "klarner stemmen": CueKind.DROP,
    "rister på hodet": CueKind.DROP,
    "ristar på hovudet": CueKind.DROP,
    "trekker på skuldrene": CueKind.DROP,
    "trekker pusten": CueKind.DROP,
    "puster ut": CueKind.DROP,
    "pustar ut": CueKind.DROP,
    "clears throat": CueKind.DROP,
    "shakes head": CueKind.DROP,
    "shrugs": CueKind.DROP,
    "off": CueKind.DROP,
    "o.s.": CueKind.DROP,
    "v.o.": CueKind.DROP,
}
_SUBJECTS = _words("jeg du han hun vi de dere den det som eg me dykk dei ho you he she we they it who")
_TIMED_PAUSE = re.compile(
    r"pause (?:på |of )?(\d{1,3}(?:[.,]\d{1,3})?) ?(ms|millisekunder|s|sek|sekund|sekunder|seconds?)"
)
_VOICE = re.compile(r"(?:med|in an?|with an?) (?:\w+ ){0,3}(?:stemme|røyst|røst|tone|entusiasme|voice)")
_JOINT = re.compile(r",\s+|\s*[;/]\s*|\s+(?:og|and|men|but)\s+")


@functools.lru_cache(maxsize=4096)
def find_cues(phrase: str) -> tuple[Cue, ...]:
    """The directions that a phrase consists of; empty when any part of it is ordinary text."""
    plain = " ".join(unicodedata.normalize("NFC", phrase).casefold().split())
    if not plain or len(plain) > 80:
        return ()
    found = []
    for part in _JOINT.split(plain):
        cue = _cue(part)
        if cue is None:
            return ()
        found.append(cue)
    return tuple(found)


def _cue(part: str) -> Cue | None:
    if part in _PAUSES:
        return Cue(CueKind.PAUSE, part, _PAUSES[part])
    if timed := _TIMED_PAUSE.fullmatch(part):
        unit_ms = 1 if timed[2].startswith("m") else 1000
        return Cue(CueKind.PAUSE, part, round(float(timed[1].replace(",", ".")) * unit_ms), unmistakable=True)
    if part in _PHRASES:
        return Cue(_PHRASES[part], part)
    if _VOICE.fullmatch(part):
        return Cue(CueKind.STYLE, part, unmistakable=True)
    words = part.rstrip(".…!").split()
    if not words or not all(word.replace("-", "").isalpha() for word in words):
        return None
    for kind, verbs in ((CueKind.STYLE, _STYLE_VERBS), (CueKind.DROP, _SOUND_VERBS)):
        if words[0] in verbs and len(words) <= 4 and not _SUBJECTS.intersection(words[1:2]):
            return Cue(kind, part, unmistakable=True)
    if part.endswith("!"):
        return None
    heads = [word for word in words if word in _HEADS]
    if not heads or not all(word in _HEADS or word in _QUALIFIERS for word in words):
        return None
    sound = any(word in _SOUNDS or word in _SOUND_VERBS for word in heads)
    if sound and words[0] != heads[0]:
        return None  # "litt sukker" is sugar
    return Cue(CueKind.DROP if sound else CueKind.STYLE, part)


def cues_between_stars(text: str, start: int, end: int, inner: str) -> tuple[Cue, ...]:
    """The directions in ``text[start:end]``, which is ``inner`` between asterisks; empty when the words are
    stressed."""
    cues = find_cues(inner)
    if not cues:
        return ()
    before = text[max(0, start - 40) : start].rstrip()
    after = text[end : end + 40].lstrip()
    if all(cue.unmistakable for cue in cues):
        last_word = re.search(r"(\w+)$", before)
        return () if last_word and last_word[1].casefold() in _SUBJECTS else cues
    apart_before = (
        not before or before[-1] in '.!?…:»”"*)]}>' or text[max(0, start - 40) : start].rstrip(" \t").endswith("\n")
    )
    apart_after = not after or after[0].isupper() or after[0] in '«“"–—-*([{<'
    if not after:
        # "Jeg går. *sukker*" is a cue, "Hva er du? *Sint.*" is an answer.
        apart_after = inner.strip()[:1].islower()
    return cues if apart_before and apart_after else ()
