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
- What a figure does meanwhile ("ser bort", "løfter sverdet") and where a voice is heard ("i telefonen") are cues where
  they stand apart, before, between or after sentences.

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
    "synger syng syngende syngjande sings singing stammer stammar stammende stammande hveser kveser hvesende kvesande "
    "freser fresande fresende klynker klynkar klynkende hyler hylar hylende snerrer snerrar "
    "shouting skriker skrik skrikende skrikande screams screaming yells yelling brøler brølar roars mumler mumlar "
    "mumlende mumlande mumbles mumbling mutters muttering murmurs"
)
_SOUND_VERBS = _words(
    "ler leende leande laughs laughing chuckles giggles giggling fniser fnisar fnisende fnisande gråter græt "
    "gråtende gråtande cries crying sobs sobbing hulker hulkar snufser snufsar sniffs kremter kremtar hoster "
    "hostar coughs coughing gjesper gjespar yawns yawning nyser sneezes hikker hikkar stønner stønnar groans "
    "gisper gispar gasps humrer humrar"
)
# What a figure does meanwhile. Ordinary text too, so it counts only where it stands apart (or in square brackets),
# and the second row only with words after it: "(ser bort)".
_ACTIONS = _words(
    "himler himlar rister ristar rynker rynkar peker peikar nøler nølar tenker tenkjer rødmer raudnar skjelver skjelv "
    "svelger svelgjer snøfter snøftar fnyser fnys spytter spyttar stamper stampar vifter viftar danser dansar kneler "
    "knelar stirrer stirrar lytter lyttar venter ventar våkner vaknar sovner sovnar banker bankar sparker sparkar "
    "hopper hoppar løper springer snur reiser roter rotar fikler fiklar blåser blæs tygger gurgler nods "
    "smiler smilar ler nikker nikkar vinker vinkar blunker blunkar hvisker kviskrar puster pustar sukker sukkar gisper "
    "gispar kremter kremtar hoster hostar snufser snufsar plystrer plystrar nynner nynnar klapper klappar trekker "
    "trekkjer"
)
_ACTIONS_ON_SOMETHING = _words(
    "ser går kommer kjem tar tek gir gjev holder held slår setter legger kaster kastar griper løfter "
    "løftar åpner opnar lukker lukkar vender bøyer strekker strekkjer krysser kryssar hever hevar senker senkar drar "
    "dreg skyver faller drikker spiser leser skriver klemmer klemmar kysser kyssar"
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
_WHERE_HEARD = _words("vo os forts fortsetter fortset voiceover") | {
    *("i telefonen", "på telefon", "på telefonen", "over telefon", "på radio", "på radioen", "over radio"),
    *("over radioen", "over høyttaler", "over høyttaleren", "utenfor", "utanfor", "utenfor bildet", "utenfra"),
    *("utafrå", "bak døra", "bak døren", "fra gangen", "frå gangen", "på avstand", "langt borte", "langt borte fra"),
}
_TO_SOMEBODY = re.compile(
    r"til (?:[A-ZÆØÅ][\w-]{1,30}(?:(?: og |, )[A-ZÆØÅ][\w-]{1,30}){0,2}|alle|de andre|dei andre|publikum)"
)
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


def find_actions(phrase: str) -> tuple[Cue, ...]:
    """The directions that a phrase consists of, where what a figure does meanwhile counts as one."""
    plain = unicodedata.normalize("NFC", " ".join(phrase.split()))
    if not plain or len(plain) > 80 or plain[-1] in "?!":
        return ()
    if _TO_SOMEBODY.fullmatch(plain) or plain.casefold().strip(".") in _WHERE_HEARD:
        return (Cue(CueKind.DROP, plain.casefold()),)
    found = []
    for part in _JOINT.split(plain.casefold()):
        cue = _cue(part) or _action(part)
        if cue is None:
            return ()
        found.append(cue)
    return tuple(found)


def directions(phrase: str) -> tuple[Cue, ...]:
    """The directions of a phrase of which is known that it is one, or that stands in brackets of its own."""
    return find_cues(phrase) or find_actions(phrase)


def _action(part: str) -> Cue | None:
    words = part.rstrip(".…").split()
    if not words or len(words) > 7 or not all(word.replace("-", "").isalpha() for word in words):
        return None
    known = words[0] in _ACTIONS or (words[0] in _ACTIONS_ON_SOMETHING and len(words) > 1)
    if not known or _SUBJECTS.intersection(words[1:2]):
        return None
    return Cue(CueKind.STYLE if words[0] in _STYLES else CueKind.DROP, part)


def cues_in_parentheses(text: str, start: int, end: int) -> tuple[Cue, ...]:
    """The directions in ``text[start:end]``, parentheses included; empty when they hold ordinary text."""
    inner = text[start + 1 : end - 1]
    return find_cues(inner) or (find_actions(inner) if _stands_apart(text, start, end) else ())


def _stands_apart(text: str, start: int, end: int) -> bool:
    """Before, between or after sentences, and not in one."""
    before = text[max(0, start - 40) : start].rstrip(" \t")
    after = text[end : end + 40].lstrip()
    return (not before or before[-1] in '.!?…:»”"*)]}>\n') and (
        not after or after[0].isupper() or after[0] in '«“"–—-*([{<…\\' or after[0].isdigit()
    )


def cues_between_stars(text: str, start: int, end: int, inner: str) -> tuple[Cue, ...]:
    """The directions in ``text[start:end]``, which is ``inner`` between asterisks; empty when the words are
    stressed."""
    cues = find_cues(inner)
    if not cues:
        apart = _stands_apart(text, start, end) and inner.strip()[:1].islower()
        return find_actions(inner) if apart and len(inner.split()) > 1 else ()
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
