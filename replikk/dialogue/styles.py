"""Direction in free words ("si dette stille og ettertenksomt") turned into moods, for every engine.

A direction is cut into phrases (at commas, "og", "and", "men" …). A phrase gives the moods of the known words in it; a
known word with a negation ("ikke rop") gives none, because neutral speech already follows such a direction. What a
mood does to a voice is the engine's business. How loud it is beside neutral speech is said here: packaging levels the
clips of every engine by it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

# Per mood its words in Bokmål, Nynorsk and English. A star means "and whatever follows"; without it the whole word must
# match ("fort" must not match "fortvilet").
_KEYWORDS = {
    "whisper": """hvisk* kvisk* whisper*""",
    "quiet": """stille stilt stillferdig* stillfarande lav lavt lave lavere lavmælt* låg lågt låge lågmælt* dempet
        dempa dempede forsiktig* varsom* mykt hemmelighetsfull* løyndomsfull* fortrolig* fortruleg* quiet* soft*
        hushed gentl* low secretive*""",
    "calm": """rolig* roleg* avslappet avslappa fredelig* fredeleg* behersket beherska trygg* tålmodig* calm*
        relaxed peaceful* patient*""",
    "thoughtful": """ettertenksom* ettertenksam* tankefull* grubl* tenk tenker tenkende tenkjande drømmende
        drøymande nølende nølande tvilende tvilande filosofisk* thoughtful* pensive* dreamy dreamily hesitant*
        hesitating*""",
    "excited": """entusias* begeistr* ivrig* iver ivrar opprømt* engasjert* spent spente energisk* oppglødd excited*
        enthusias* eager* thrilled energetic*""",
    "happy": """glad glade glede gledelig gledestrålende gledd munter* muntert munre lystig* fornøyd* fornøgd* blid
        blidt blide leende leande ler latter lattermild* fnis* flir* smil* leken lekent leikande triumf* stolt
        stolte jubl* happy happily cheerful* joy* glee* laugh* giggl* chuckl* playful* proud*""",
    "shout": """rop* skrik* hyl hyle hyler hylende hylande brøl* høyt høgt høylytt høglydt shout* yell* scream* loud
        loudly""",
    "sad": """trist* sørgmodig* lei leit leie bedrøvet vemodig* dyster* klynk* gråt* gret hulk* snufs* fortvil*
        skuffet skuffa sad sadly mournful* cry crying tearful* sob sobbing melanchol* disappointed despair*""",
    "angry": """sint sinte sinna sinne rasende rasande irritert* arg argt arge opprørt ergerlig* fornærm* krenket
        krenka hissig* angry angrily anger furious* annoyed irritated mad""",
    "scared": """redd redde engstelig* engsteleg* skremt* livredd* nervøs* urolig* uroleg* panikk* forskrekk* scared
        afraid frighten* fearful* nervous* anxious* panic* terrified""",
    "firm": """bestemt* streng* alvorlig* alvorleg* kommander* myndig* besluttsom* autoritær* formell* høytidelig*
        høgtideleg* verdig* overlegen* viktig* firm* stern* strict* serious* commanding*""",
    "tired": """trøtt* trett trette sliten slitent slitne utmattet utmatta søvnig* gjesp* sukk* tired* weary wearily
        sleepy sleepily yawn* sigh* exhausted""",
    "surprised": """overrask* forbløff* forbaus* forundr* sjokkert* målløs* surpris* astonish* amazed shocked""",
    "wondering": """undrende undrande undring spørrende spørjande spør nysgjerrig* nyfiken* lurer lurende wonder*
        question* curious* inquisitive*""",
    "slow": """langsom* langsam* sakte seint tydelig* tydeleg* pedagogisk* slow* clear clearly""",
    "fast": """rask* fort kjapp* hurtig* snøgg* snøgt skynd* stress* travel* andpust* fast quick* rapid* hurried*
        hasty""",
    "deep": """dyp dypt dype brumm* djup djupt djupe mørk mørkt mørke deep* dark""",
    "bright": """lys lyst lyse barnlig* barnsleg* pipete pipende pipande bright* high-pitched squeaky childlike""",
    "warm": """varm varmt varme vennlig* venleg* vennleg* snill snilt snille mild mildt milde kjærlig* kjærleg*
        hjertelig* hjarteleg* trøst* warm* friendly kind kindly tender* loving*""",
    "flat": """flatt monoton* mekanisk* robotaktig* tørt likegyldig* likegla* uinteressert* flat flatly mechanical*
        robotic* dry dryly bored indifferent*""",
    "neutral": """nøytral* vanlig* vanleg* normal* neutral* plain*""",
}
MOODS = frozenset(_KEYWORDS)

_NEGATIONS = frozenset({"ikke", "ikkje", "uten", "utan", "aldri", "ingen", "not", "no", "without", "never", "don't"})
# Words of a direction that say nothing themselves; a phrase of only these is not reported as unfollowed.
_FILLER_WORDS = """si sei sies seiast sagt dette det den denne les lese leser replikken linjen linja med i på en ei et
    ein eit litt veldig svært ganske mer meir mye mykje stor stort stemme stemmen røyst røysta tone måte seg selv sjølv
    som til av nesten så for først say said speak read this that it line the with in a an very rather bit little more
    tone voice way manner to as almost so too"""
_FILLERS = frozenset(_FILLER_WORDS.split())

_SEPARATOR = re.compile(r"[,;:.!?/&+()\[\]\n\r–—]+|\s(?:og|and|men|but|samt|deretter|then)\s")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
# Words that mean something else together: thinking or reading aloud is no shout, and "fast stemme" is a firm voice.
_TOGETHER = (
    (re.compile(r"\b(?:tenk\w*|think\w*)\s+(?:høyt|høgt|out\s+loud|aloud)\b"), "tenkende"),
    (re.compile(r"\b(?:les\w*|read\w*)\s+(?:høyt|høgt|out\s+loud|aloud)\b"), "les"),
    (re.compile(r"\bfast\s+(?=stemme|røyst|tone|blikk)"), "bestemt "),
)


@dataclass(frozen=True)
class Phrase:
    """A part of a direction."""

    text: str
    """As it was written."""
    moods: frozenset[str]
    known: bool
    """Whether an engine can follow it: it has a known word, negated or not, or says nothing at all."""


_WORDS: dict[str, str] = {}
_STEMS: list[tuple[str, str]] = []
for _mood, _keywords in _KEYWORDS.items():
    for _keyword in _keywords.split():
        if _keyword.endswith("*"):
            _STEMS.append((_keyword[:-1], _mood))
        else:
            _WORDS[_keyword] = _mood


def _mood_of(word: str) -> str | None:
    whole = _WORDS.get(word)
    if whole is not None:
        return whole
    return next((mood for stem, mood in _STEMS if word.startswith(stem)), None)


@functools.lru_cache(maxsize=4096)
def phrases(style: str) -> tuple[Phrase, ...]:
    """The parts of a direction, each with the moods found in it."""
    found = []
    for part in _SEPARATOR.split(unicodedata.normalize("NFC", style)):
        text = " ".join(part.split())
        plain = text.casefold().replace("’", "'")
        for pattern, meaning in _TOGETHER:
            plain = pattern.sub(meaning, plain)
        words = _WORD.findall(plain)
        if not words:
            continue
        moods_found: set[str] = set()
        negated = known = False
        for word, following in zip(words, [*words[1:], ""], strict=True):
            negated = negated or word in _NEGATIONS
            mood = _mood_of(word)
            if mood is not None:
                known = True
                if not negated and following not in _NEGATIONS:
                    moods_found.add(mood)
        known = known or all(word in _FILLERS for word in words)
        found.append(Phrase(text, frozenset(moods_found), known))
    return tuple(found)


def moods(style: str) -> frozenset[str]:
    """All moods of a direction, a subset of ``MOODS``; empty means neutral."""
    return frozenset().union(*(phrase.moods for phrase in phrases(style)))


def unknown_phrases(style: str) -> list[str]:
    """The parts of a direction that hold no known word, as they were written."""
    return [phrase.text for phrase in phrases(style) if not phrase.known]


def loudness_offset_lu(style: str) -> float:
    """How much louder than neutral a clip with this direction is delivered, in loudness units.

    −4 for a whisper, −2 for quiet, +3 for a shout, else 0: after levelling, a whisper stays quieter than a shout.
    Directions that pull both ways ("rop stille") cancel out.
    """
    found = moods(style)
    if "whisper" in found:
        return -4.0
    if "quiet" in found:
        return 0.0 if "shout" in found else -2.0
    return 3.0 if "shout" in found else 0.0
