"""The text that the judge is trained on: pseudo-words and sentences of our own, drawn from a seed.

Half of it is pseudo-words by Norwegian spelling (onset, vowel, coda, endings, compounds), so that the network learns to
hear letters instead of remembering words; the rest is sentences from templates over ``words``, numbers, dates, clock
times, names, single words and single letters. Words of ``forbidden`` (those
of the held-out lines) never come out.

Everything is drawn from the ``random.Random`` that is passed in: same seed, same text, on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from replikk.judges.mini import words
from replikk.judges.mini.text import normalise
from replikk.judges.mini.words import Adjective, Noun, adjectives, nouns, number_words, verbs


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_ONSETS = _listed(
    "b d f g h j k l m n p r s t v b d f g h k l m n p r s t bl br dr fl fr gl gr kl kn kr pl pr sk skr sl sm sn sp "
    "spr st str sv tr tv skj kj gj hv hj vr kv fj bj pj spl skv"
)
_VOWELS = _listed("a e i o u y æ ø å a e i o a e i ei øy au")
_CODAS_AFTER_LONG = ["", "", "", *_listed("b d f g k l m n p r s t v l n r s t ng")]
_CODAS_AFTER_SHORT = _listed(
    "bb dd ff gg kk ll mm nn pp rr ss tt ng nk nt nd mp lk lt ld lm ls rk rt rd rm rn rs rv rg sk st sp ft kt ks ns "
    "nn ll tt kk ss nd lv"
)
_ENDINGS = ["", "", "", *_listed("e en et er ene a te de t ing het lig elig else ere else isk som skap dom ende")]
_OPENINGS = ["", "", "", "", *_listed("be for u over under inn ut opp gjen mis an til")]
_COMMAS = (",", ",", ",", ".", "!", "?", ";", ":", " –", "…")
_LETTERS = "abcdefghijklmnopqrstuvwxyzæøå"


def syllable(random: Random, last: bool) -> str:
    onset = random.choice(_ONSETS) if random.random() < 0.88 else ""
    vowel = random.choice(_VOWELS)
    short = len(vowel) == 1 and random.random() < 0.5
    coda = random.choice(_CODAS_AFTER_SHORT if short else _CODAS_AFTER_LONG)
    if not last and random.random() < 0.4:
        coda = coda[:1]
    return onset + vowel + coda


def pseudo_word(random: Random) -> str:
    """A word that does not exist, spelled as Norwegian words are."""
    draw = random.random()
    if draw < 0.08:
        # Foreign letters turn up in names: Zoe, Max, Carlos, Quist.
        return (
            random.choice(_listed("c ch q w x z th ph cr"))
            + syllable(random, True)[-4:]
            + random.choice(_listed("a o e ia us"))
        )
    count = random.choices((1, 2, 3, 4), (0.42, 0.38, 0.15, 0.05))[0]
    stem = "".join(syllable(random, number == count - 1) for number in range(count))
    if draw < 0.2:
        return random.choice(_OPENINGS) + stem + random.choice(_ENDINGS)
    if draw < 0.32:
        head = random.choice(nouns()).singular if random.random() < 0.5 else syllable(random, True)
        return head + random.choice(("", "", "s", "e")) + stem
    return stem + (random.choice(_ENDINGS) if random.random() < 0.5 else "")


def compound(random: Random) -> str:
    """A long compound of real nouns."""
    parts = [random.choice(nouns()).singular for _ in range(random.choice((1, 1, 2)))]
    last = random.choice(nouns())
    form = random.choice((last.singular, last.definite, last.plural, last.definite_plural))
    return random.choice(("", "", "s")).join([*parts, form])


def _adjective(random: Random, noun: Noun, plural: bool) -> str:
    word: Adjective = random.choice(adjectives())
    return word.plural if plural else word.neuter if noun.gender == "n" else word.common


_ARTICLE = {"m": "en", "f": "ei", "n": "et"}
_THAT = {"m": "den", "f": "den", "n": "det"}
_THIS = {"m": "denne", "f": "denne", "n": "dette"}
_MY = {"m": ("min", "din", "sin", "vår"), "f": ("mi", "di", "si", "vår"), "n": ("mitt", "ditt", "sitt", "vårt")}


def noun_phrase(random: Random) -> str:
    """Somebody or something: 'en rød bil', 'den lille hunden', 'bøkene mine', 'Kari', a pseudo-name, several things."""
    noun = random.choice(nouns())
    draw = random.random()
    if draw < 0.16:
        return f"{_ARTICLE[noun.gender]} {_adjective(random, noun, False)} {noun.singular}"
    if draw < 0.26:
        return f"{_ARTICLE[noun.gender]} {noun.singular}"
    if draw < 0.40:
        return noun.definite
    if draw < 0.52:
        return f"{_THAT[noun.gender]} {random.choice(adjectives()).plural} {noun.definite}"
    if draw < 0.58:
        return f"{_THIS[noun.gender]} {noun.definite}"
    if draw < 0.66:
        return f"{noun.definite} {random.choice(_MY[noun.gender])}"
    if draw < 0.72:
        return noun.definite_plural
    if draw < 0.77:
        return f"{_adjective(random, noun, True)} {noun.plural}"
    if draw < 0.82:
        return f"{number_words(random.randint(2, 120))} {noun.plural}"
    if draw < 0.87:
        return random.choice(words.NAMES).capitalize()
    if draw < 0.92:
        return pseudo_word(random).capitalize()
    if draw < 0.97:
        return random.choice(words.IRREGULAR_NOUNS)
    return compound(random)


_PRONOUNS = _listed("jeg du han hun vi dere de man ingen alle noen")
_MODALS = _listed("kan vil må skal bør kunne skulle ville måtte")
_PREPOSITIONS = _listed(
    "på i til for av med om mot etter under over ved fra bak foran langs mellom gjennom rundt uten hos"
)
_CONJUNCTIONS = _listed("og men så for eller")
_SUBORDINATE = _listed("at når da hvis fordi mens før etter siden om selv om")


def _subject(random: Random) -> str:
    return random.choice(_PRONOUNS) if random.random() < 0.5 else noun_phrase(random)


def _finite(random: Random) -> str:
    if random.random() < 0.25:
        return random.choice(words.IRREGULAR_VERBS)
    verb = random.choice(verbs())
    return random.choice((verb.present, verb.past))


def _place(random: Random) -> str:
    return f"{random.choice(_PREPOSITIONS)} {noun_phrase(random)}"


def _adverb(random: Random) -> str:
    return random.choice(words.ADVERBS)


def _statement(random: Random) -> str:
    parts = [_subject(random), _finite(random)]
    if random.random() < 0.3:
        parts.append(random.choice(("ikke", "aldri", "alltid", "bare", "også", "nå", "jo", "visst")))
    parts.append(noun_phrase(random) if random.random() < 0.6 else _adverb(random))
    if random.random() < 0.5:
        parts.append(_place(random))
    return " ".join(parts)


def _with_modal(random: Random) -> str:
    verb = random.choice(verbs())
    ending = _place(random) if random.random() < 0.5 else _adverb(random)
    return f"{_subject(random)} {random.choice(_MODALS)} {verb.infinitive} {noun_phrase(random)} {ending}"


def _perfect(random: Random) -> str:
    has = f"{_subject(random)} {random.choice(('har', 'hadde'))}"
    return f"{has} {random.choice(verbs()).participle} {noun_phrase(random)}"


def _question(random: Random) -> str:
    head = random.choice(_listed("hva hvem hvor hvordan hvorfor når hvilken har kan vil skal er"))
    return f"{head} {_finite(random)} {_subject(random)} {_place(random)}?"


def _command(random: Random) -> str:
    return f"{random.choice(verbs()).imperative} {noun_phrase(random)} {_adverb(random)}!"


def _joined(random: Random) -> str:
    link = random.choice(_CONJUNCTIONS) if random.random() < 0.5 else random.choice(_SUBORDINATE)
    return f"{_statement(random)}{random.choice((',', ''))} {link} {_statement(random)}"


def _spoken_reply(random: Random) -> str:
    return f"{random.choice(words.GREETINGS)}, {random.choice(words.NAMES).capitalize()}! {_statement(random)}."


def _is(random: Random) -> str:
    noun = random.choice(nouns())
    verb = random.choice(("er", "var", "blir", "ble"))
    degree = random.choice(("", "ganske ", "veldig ", "ikke "))
    return f"{noun.definite} {verb} {degree}{_adjective(random, noun, False)}"


def _nynorsk(random: Random) -> str:
    count = random.randint(3, 9)
    return " ".join(
        random.choice(words.NYNORSK if random.random() < 0.7 else words.IRREGULAR_NOUNS) for _ in range(count)
    )


_MONTHS = _listed("januar februar mars april mai juni juli august september oktober november desember")
_WEEKDAYS = _listed("mandag tirsdag onsdag torsdag fredag lørdag søndag")


def _numbers(random: Random) -> str:
    draw = random.random()
    big = random.choice((10, 100, 1000, 10_000, 1_000_000))
    number = number_words(random.randrange(big))
    if draw < 0.2:
        return f"{random.choice(words.ORDINALS)} {random.choice(_MONTHS)} {number_words(random.randint(1700, 2100))}"
    if draw < 0.4:
        minutes = random.choice(("halv ", "kvart over ", "kvart på ", "ti over ", "fem på halv ", ""))
        return f"klokka er {minutes}{number_words(random.randint(1, 24))} på {random.choice(_WEEKDAYS)}"
    if draw < 0.6:
        unit = random.choice(
            _listed("kroner prosent meter kilo liter grader kilometer timer minutter sekunder poeng øre")
        )
        return f"{number} {unit}" + (f" og {number_words(random.randint(1, 99))}" if random.random() < 0.2 else "")
    if draw < 0.7:
        return f"{number} komma {number_words(random.randrange(100))}"
    if draw < 0.85:
        return ", ".join(number_words(random.randrange(20)) for _ in range(random.randint(2, 8)))
    return f"{_subject(random)} {_finite(random)} {number} {random.choice(nouns()).plural}"


def _letters(random: Random) -> str:
    count = random.choice((1, 1, 2, 3, 4, 6, 8))
    if random.random() < 0.4:
        start = random.randrange(len(_LETTERS) - count)
        chosen = _LETTERS[start : start + count]
    else:
        chosen = "".join(random.choice(_LETTERS) for _ in range(count))
    if random.random() < 0.2:
        return f"{random.choice(chosen)} som i {random.choice(nouns()).singular}"
    return random.choice((", ", ". ", " ")).join(chosen)


def _single(random: Random) -> str:
    draw = random.random()
    if draw < 0.35:
        return pseudo_word(random) + random.choice("!?.")
    if draw < 0.5:
        return compound(random)
    return " ".join(random.choice(_VOCABULARY) for _ in range(random.choice((1, 1, 2, 3)))) + random.choice("!?.")


_VOCABULARY = tuple(sorted(words.vocabulary()))


def _pseudo_line(random: Random) -> str:
    """Pseudo-words, some function words between them, punctuation as it falls."""
    parts: list[str] = []
    for _ in range(random.choice((1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10))):
        draw = random.random()
        if draw < 0.2:
            parts.append(random.choice(words.FUNCTION_WORDS))
        elif draw < 0.3:
            parts.append(random.choice(_VOCABULARY))
        else:
            word = pseudo_word(random)
            parts.append(word.capitalize() if random.random() < 0.1 else word)
        if random.random() < 0.1:
            parts[-1] += random.choice(_COMMAS)
    return " ".join(parts)


_KINDS: tuple[tuple[Callable[[Random], str], float], ...] = (
    (_pseudo_line, 46),
    (_statement, 9),
    (_with_modal, 6),
    (_perfect, 3),
    (_question, 5),
    (_command, 4),
    (_joined, 6),
    (_spoken_reply, 3),
    (_is, 3),
    (_nynorsk, 2),
    (_numbers, 4),
    (_letters, 2),
    (_single, 7),
)


def draw_line(random: Random, forbidden: frozenset[str]) -> str:
    """One line of training text without any word of ``forbidden`` (normalised words)."""
    kinds, weights = zip(*_KINDS, strict=True)
    while True:
        line = random.choices(kinds, weights)[0](random)
        if line[-1].isalpha() and random.random() < 0.7:
            line += random.choice("...!?")
        line = line[0].upper() + line[1:]
        if normalise(line) and forbidden.isdisjoint(normalise(line).split()):
            return line
