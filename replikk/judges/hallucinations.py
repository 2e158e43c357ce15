"""Signs that a judge wrote what nobody said, or that a voice left its language: what a different text looks like.

Recognisers of Whisper's kind fill silence with what ends films (*Teksting av …*), repeat a phrase without end, or go on
in a neighbouring language; voices can do the last two as well. The signs explain a difference, they never make one:
words that the script has are left out of account, so that a line may count, repeat, or quote English.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

from replikk.dialogue.norwegian.tables import listed
from replikk.judges.compare import Comparison
from replikk.judges.leaks import repeated_fours
from replikk.judges.words import split_words, word_key

_CREDITS = re.compile(
    r"\b(?:tekst(?:ing|et|a|er)|undertekst(?:er|ing|et|ar)?|undertitl\w*|textning|undertexter|subtitles?|captions?|"
    r"captioned|transcribed|oversatt|omsett|oversettelse|norsk tekst)\b.{0,20}"
    r"\b(?:av|by|fra|frå|from|ved|på|til|stemmer|laget)\b"
    r"|\b(?:teksting|(?:under)?tekst(?:er)?|oversettelse|omsetjing|textning)\s*:"
    r"|\btextning\b|\bsvensktextning\b|\bsdimedia\b|\bnicolai winther\b|\btak fordi du så\b"
    r"|\bamara\.? ?org\b|\bai[- ]?media\b|\bbtf\b|\bscandinavian text service\b"
    r"|\bsdi media\b|\bnrk tekst\b|\bstemtext\b"
    r"|\btusen takk for (?:at|å) (?:du|dere|de|dykk)?\b.{0,12}\b(?:så|ser|sett|seer|fulgte|følger)\b"
    r"|\btakk for (?:at|å) (?:du|dere|de|dykk)?\b.{0,12}\b(?:så på|ser på|så med|fulgte med|følger|følgde)\b"
    r"|\b(?:thanks|thank you) for watching\b|\btack för att (?:du|ni) (?:har )?(?:tittat|tittade)\b"
    r"|\babonner på\b|\blik og abonner\b|\bplease subscribe\b|\bcopyright\b|\bundertekster\b",
    re.I,
)
"""What is written under films and videos and said in no game; counts only where the script has no such words."""

_LANGUAGES = {
    "Danish": """
        af hvad meget noget nogen også gør gøre ved jeg ikke lige måske hvordan siger sige synes nej dig mig sig blev
        bliver været kunne skulle selvfølgelig godt ud op hjem uge dreng pige hende nødt gange tage give kigge vindue
        aften tyve syv efter igennem før altid aldrig alting hvorfor nogle mere flere færdig tilbage vej vejen bog
        bogen dør døren sidde sidder lidt stå står gik fik dag købe spise øjne mand barnet børn børnene skole skolen
        i dag spørgsmål tabt ligger jer jeres hun ham undskyld velkommen tusind""",
    "Swedish": """
        och är inte jag det som på för att vad hur när också mycket någon något inga ingen från till med den ett en
        har hade kan ska skulle vara blev blir gick fick säga säger göra gör hos då var varför vem vilken hon honom
        henne oss er deras mig dig sig så men eller om efter under över aldrig alltid bara lite mer tack hej fönster
        dörr dörren barn barnen pojke flicka hus huset natt kväll morgon vecka sju tjugo åtta nio tio nyckel nyckeln
        hitta hittade kom kommer gå går se ser måste älskar ingenting allting titta tittar""",
    "English": """
        the and you is are was were be to of in it that this have has had not what where when who why how do does did
        don't can't i'm my your his her she he they we me us them there here come go going get got know think want
        look see say said tell please thank thanks yes no good bad one two three key door house home boy girl water
        now never always just only very little big night day time with from for on at but so if then will would can
        could should must""",
}
_NORWEGIAN = frozenset(
    listed("""
    jeg ikke også meget noget nogen ved dig mig det som på har hade kan var hos så men eller om under kommer kom ser
    barn hus huset natt den en et ett bare lite mer må se gå går stå står lige ud op dag hjem kunne skulle synes er
    hun ham fikk gikk gik i over to me at so for no do in is her here see say will can go house time with my one on
    hen med du de vi blev blir då vore ingen ingenting liten alltid aldri aldrig etter før dør godt måske hver være
    været tilbake stor små glad til fra frå barnet lidt mere flere bliver morgon hej ska syv tyve efter skole skolen
    tabt ligger sidde hende jer velkommen spise morgen alle tusind altid vei bok ut opp uke men færdig aften give nå
    nu ens blei vart vert eg ein eit ho dykk dei me sju få inga
    """)
)
"""Words that Norwegian has too, in either standard or in a form that a judge may write for it."""
_DECISIVE = {
    "Danish": frozenset(
        listed("""
    af hvad meget noget nogen gør gøre mig dig lige selvfølgelig blev bliver ud op hende
    """)
    ),
    "Swedish": frozenset(
        listed("""
    och är inte jag för att vad hur när också mycket någon något från säga göra gör varför
    """)
    ),
    "English": frozenset(
        listed("""
    the and you are was what where this that have not with they there your he she don't
    """)
    ),
}
_MOST_REPEATS = 2
"""A word three times running, or a phrase, where the script says it less often."""
_COMPRESSION_LIMIT = 2.4
"""The compression ratio above which Whisper itself distrusts a text (its own default)."""
_SHORTEST_COMPRESSED = 60
"""Characters; shorter texts compress badly whatever they are."""


class Sign(NamedTuple):
    """One thing that explains a difference."""

    code: str
    """``nothing_heard``, ``credits``, ``loop``, ``other_language``."""
    text: str
    """For people, one plain sentence without a full stop."""


def signs(script: str, heard: str, comparison: Comparison) -> tuple[Sign, ...]:
    """What explains the difference between a script and what was heard; none when there is no difference."""
    if comparison.wer == 0:
        return ()
    if not comparison.words_heard:
        return (Sign("nothing_heard", "no words were heard"),)
    found = [_credits(script, heard), _loop(script, heard), _language(comparison)]
    return tuple(sign for sign in found if sign is not None)


def _credits(script: str, heard: str) -> Sign | None:
    match = _CREDITS.search(heard)
    if match is None or _CREDITS.search(script):
        return None
    return Sign("credits", f"«{match[0].strip()}» is what judges write for silence: the credits of a film")


def compression_ratio(text: str) -> float:
    """Bytes of a text per byte of it compressed; loops have high ones."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def _loop(script: str, heard: str) -> Sign | None:
    wanted, got = ([word_key(word) for word in split_words(text)] for text in (script, heard))
    phrase, times = _most_repeated(got)
    known = _running(wanted, phrase)
    if times > _MOST_REPEATS and times > known:
        return Sign("loop", f"«{' '.join(phrase)}» is said {times} times running")
    excess = repeated_fours(got) - repeated_fours(wanted)
    if excess > max(2, len(got) // 4):
        return Sign("loop", f"{excess} stretches of four words are said again")
    ratio = compression_ratio(heard.lower())
    if len(heard) >= _SHORTEST_COMPRESSED and ratio > max(_COMPRESSION_LIMIT, 1.5 * compression_ratio(script.lower())):
        return Sign("loop", f"the text repeats itself: it compresses {ratio:.1f} times")
    return None


def _most_repeated(words: list[str]) -> tuple[tuple[str, ...], int]:
    """The phrase of up to eight words that is said most often running, and how often."""
    best: tuple[tuple[str, ...], int] = ((), 0)
    for length in range(1, min(8, len(words) // 2) + 1):
        run = 0
        for at in range(length, len(words)):
            run = run + 1 if words[at] == words[at - length] else 0
            times = 1 + run // length
            if run % length == 0 and run and times > best[1]:
                best = (tuple(words[at - length + 1 : at + 1]), times)
    return best


def _running(words: list[str], phrase: tuple[str, ...]) -> int:
    """How often the phrase is said running, at most; an empty phrase never."""
    if not phrase:
        return 0
    length = len(phrase)
    times = [0] * (len(words) + length)  # from each place on; from the end, so that a long text is gone through once
    for start in range(len(words) - length, -1, -1):
        if tuple(words[start : start + length]) == phrase:
            times[start] = 1 + times[start + length]
    return max(times)


def _language(comparison: Comparison) -> Sign | None:
    """Words of a neighbouring language among those that the script does not have."""
    strangers = [
        word.lower() for op, _, heard in comparison.alignment if op in ("sub", "ins") for word in split_words(heard)
    ]
    if not strangers:
        return None
    scores = {
        name: sum(2 if word in _DECISIVE[name] else 1 for word in strangers if word in words)
        for name, words in _VOCABULARY.items()
    }
    name, score = max(scores.items(), key=lambda item: item[1])
    if score < 2 or sorted(scores.values())[-2] == score:
        return None
    seen = [word for word in dict.fromkeys(strangers) if word in _VOCABULARY[name]]
    quoted = ", ".join(f"«{word}»" for word in seen[:4])
    return Sign("other_language", f"it sounds like {name}: {quoted}")


_VOCABULARY = {name: frozenset(words.split()) - (_NORWEGIAN - _DECISIVE[name]) for name, words in _LANGUAGES.items()}
