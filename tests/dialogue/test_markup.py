r"""Markup of Ren'Py, Yarn Spinner, Godot and Unity, stage cues, and the ordinary text that must survive all of them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.dialogue.markup import escape_markup, parse_markup
from replikk.dialogue.pauses import LONGEST_PAUSE_MS
from replikk.dialogue.styles import moods
from replikk.dialogue.tags import scan


def spoken(text: str, **options: object) -> list[tuple[str, int]]:
    marked = parse_markup(text, **options)  # type: ignore[arg-type]
    assert marked.problems == ()
    return [(segment.text, segment.pause_after_ms) for segment in marked.segments]


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("{i}Hei{/i} {b}på{/b} {color=#f00}deg{/color}{nw}", "Hei på deg"),
        ("{size=+10}Stor{/size} {cps=20}sakte{/cps}{fast}", "Stor sakte"),
        ("{a=jump:slutt}Her{/a} {font=x.ttf}og{/font} {=tittel}der{/=}", "Her og der"),
        ("{image=hjerte.png}Takk{space=30}!{vspace=10} {k=.5}nå{/k}", "Takk! nå"),
        ("Hei{#høflig}", "Hei"),
        ("[wave]Hei[/wave] [shake rate=20 level=10]på[/shake] deg [a/][/]", "Hei på deg"),
        ('[url="https://eksempel.no/?a=b"]Lenke[/url] [color=red]rød[/color] [b]feit[/b]', "Lenke rød feit"),
        ("[img]res://bilder/ugle.png[/img]Ugla", "Ugla"),
        ("[img=64x64]res://ugle.png[/img] Ugla", "Ugla"),
        ("[center][rainbow freq=0.2]Fest[/rainbow][/center]", "Fest"),
        ("Hei [#glad, #høyt] [do gi_nøkkel()][speed=0.5]der[next=auto]", "Hei der"),
        ("<b>Hei</b> <color=#fff>på</color> <#ff0000>deg</color> <size=20>nå</size>", "Hei på deg nå"),
        ('<sprite name="stjerne">Bra <nobr>gjort</nobr>', "Bra gjort"),
        ("Én<br>to\\ntre\nfire", "Én\nto\ntre\nfire"),
        ("&amp; &lt;3 &aring;&#230;&#xF8; Bø&nbsp;kommune &ukjent;", "& <3 åæø Bø kommune &ukjent;"),
        ("be{i}st{/i}emor", "bestemor"),
        ("Hei på deg! #line:0a1b2c", "Hei på deg!"),
        ("100%% sikkert", "100% sikkert"),
        ("**Veldig** *bra* og ***best***", "Veldig bra og best"),
    ],
)
def test_looks_are_stripped_from_display_and_speech(text: str, display: str) -> None:
    marked = parse_markup(text)
    assert marked.problems == ()
    assert marked.display == display
    assert "".join(c for s in marked.segments for c in s.text if c in "{}[]*\\") == ""


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        ("{b}Hei på deg", ["'{b}' is never closed: write {/b} after what it encloses"]),
        ("[color=red]Hei [wave]på deg[/wave]", ["'[color]' is never closed: write [/color] after what it encloses"]),
        ("Hei</i> på deg", ["'</i>' closes nothing: write <i> before what it encloses, or take it out"]),
        ("{b}Hei {i}på{/b} deg{/i}", ["'{/b}' crosses '{i}': write {/i} before {/b}"]),
        (
            "[b]Hei</b>",
            [
                "'</b>' closes nothing: write <b> before what it encloses, or take it out",
                "'[b]' is never closed: write [/b] after what it encloses",
            ],
        ),
        # Right as they are, or free to stand alone.
        ("{b}Hei {i}på{/i} deg{/b}", []),
        ("[b]Hei [i]på deg[/]", []),
        ("<size=120%>STORT<size=100%> og lite", []),  # TextMeshPro: set back to what it was
        ("<#ff0000>Hei</color> <sprite name=x>[speed=0.5]der {w}og{fast} her[a/]", []),
        ("[b]Hei[/B]", []),
        ("[b][b]Hei[/b][/b]", []),
        ("\\{b\\}Hei", []),
    ],
)
def test_tags_without_a_partner_are_stripped_with_a_remark(text: str, remarks: list[str]) -> None:
    marked = parse_markup(text)
    assert marked.problems == ()
    assert list(marked.remarks) == remarks


@pytest.mark.parametrize(
    "text",
    [
        "3 < 5 og 7 > 2",
        "a<b",
        "Jeg <3 deg",
        "Han sa ... ingenting.",
        "Hm [...] ja",
        "Trist :[",
        "(og det var bra)",
        "Det (som var fint) tok slutt (nesten).",
        "Kl. 12:30: nå går vi",
        "Ring 22 22 22 22 & spør",
        "50 % av 100 %s",
        "R&D, A&B; og C",
        "Se på <- eller ->",
        "(glad i deg)",
        "(ler du av meg?)",
        "To egg (litt sukker) og melk",
        "(a) eller (b)",
        "Pris: 5 $ # 7",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    if text.endswith("%s"):
        text = text[:-3]
    marked = parse_markup(text)
    assert marked.problems == () and marked.styles == () and marked.remarks == ()
    assert marked.display == text


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("Vent{w=0.5} litt{w}", [("Vent", 500), ("litt", 400)]),
        ("Vent{p=1}her{p}nå", [("Vent", 1000), ("her", 700), ("nå", 0)]),
        ("Vent [pause=500/] litt [pause 1000/] til [pause=0.5s/]", [("Vent", 500), ("litt", 1000), ("til", 500)]),
        ("A[pause=0.5]b[pause=750 ms/]c[pause/]", [("A", 500), ("b", 750), ("c", 1000)]),
        ("A [wait=0.5]b <pause=0,25>c", [("A", 500), ("b", 250), ("c", 0)]),
        ('A<break time="500ms"/>b<break time="1s"/>c<break strength="weak"/>', [("A", 500), ("b", 1000), ("c", 250)]),
        ("(pause) Hei (lang pause) du (pause 0,3 s) (pause)", [("", 500), ("Hei", 1500), ("du", 800)]),
        ("[stillhet]Hei", [("", 500), ("Hei", 0)]),
        ("Hei[wait=1]!", [("Hei", 1000)]),
    ],
)
def test_pauses_become_silence_of_that_length(text: str, segments: list[tuple[str, int]]) -> None:
    assert spoken(text) == segments


def test_pauses_are_capped_and_odd_units_are_read_with_a_remark() -> None:
    marked = parse_markup("A [wait=60]b [pause=2/]c [wait=500]d")
    assert [s.pause_after_ms for s in marked.segments] == [LONGEST_PAUSE_MS, 2000, 500, 0]
    assert len(marked.remarks) == 3 and "60 s is cut to 10 s" in marked.remarks[0]
    assert sum(s.pause_after_ms for s in parse_markup("(pause)" * 1000).segments) == LONGEST_PAUSE_MS


@pytest.mark.parametrize("text", ["[pause=kort/]", "[wait=-1]", "<break time='evig'/>"])
def test_a_pause_without_a_length_is_a_problem(text: str) -> None:
    assert "no length of a pause" in parse_markup(text).problems[0][0]


@pytest.mark.parametrize(
    ("text", "styles", "speech"),
    [
        ("*hvisker* Kom hit.", ("hvisker",), "Kom hit."),
        ("(kviskrar) Kom hit.", ("kviskrar",), "Kom hit."),
        ("[hvisker] Kom hit.", ("hvisker",), "Kom hit."),
        ("<whispers> Kom hit.", ("whispers",), "Kom hit."),
        ("Hei (roper over gjerdet) du!", ("roper over gjerdet",), "Hei du!"),
        ("(litt trist) Nei.", ("litt trist",), "Nei."),
        ("(trist og redd) Nei.", ("trist", "redd"), "Nei."),
        ("(med hviskende stemme) Nei.", ("med hviskende stemme",), "Nei."),
        ("*trist* Jeg vet ikke.", ("trist",), "Jeg vet ikke."),
        ("Jeg går. *sint*", ("sint",), "Jeg går."),
        ("(HVISKER) Hei", ("hvisker",), "Hei"),
    ],
)
def test_cues_about_how_to_speak_become_style(text: str, styles: tuple[str, ...], speech: str) -> None:
    marked = parse_markup(text)
    assert marked.styles == styles
    assert marked.display == speech and " ".join(s.text for s in marked.segments) == speech
    assert bool(marked.remarks) == bool(styles)


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("Hei (ler) på deg", "Hei på deg"),
        ("Hei *ler høyt*, du", "Hei, du"),
        ("(sukker tungt) Nei vel.", "Nei vel."),
        ("<sigh>Nei vel.", "Nei vel."),
        ("[latter] Nei (hoster)... vel *kremter*.", "Nei ... vel."),
        ("(rister på hodet) Nei.", "Nei."),
        ("Hei*ler*du", "Hei du"),
        ("(ler, gråter og hoster) Nei.", "Nei."),
    ],
)
def test_sounds_nobody_can_be_told_to_make_are_dropped_with_a_remark(text: str, speech: str) -> None:
    marked = parse_markup(text)
    assert marked.display == speech and marked.styles == ()
    assert marked.remarks and all("is not spoken" in remark for remark in marked.remarks)


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("Vær *stille* nå!", "Vær stille nå!"),
        ("*Stille* nå!", "Stille nå!"),
        ("Er du *sint*?", "Er du sint?"),
        ("Vil du ha *sukker*?", "Vil du ha sukker?"),
        ("Hun *hvisker* jo!", "Hun hvisker jo!"),
        ("Hva er du? *Sint.*", "Hva er du? Sint."),
        ("Et * for deg", "Et for deg"),
        ("2 * 3 er 6", "2 × 3 er 6"),
        ("***", ""),
    ],
)
def test_asterisks_of_stress_are_never_spoken_and_their_words_always(text: str, speech: str) -> None:
    marked = parse_markup(text)
    assert marked.styles == () and marked.problems == ()
    assert " ".join(s.text for s in marked.segments) == speech


def test_words_between_asterisks_that_look_like_direction_are_remarked_on() -> None:
    marked = parse_markup("*hun ser ned mot bakken* Hei.")
    assert marked.display == "hun ser ned mot bakken Hei."
    assert "column 'style'" in marked.remarks[0]
    assert parse_markup("Ikke *så veldig dumt* det.").remarks != ()
    assert parse_markup("*a* b c d *e*").remarks == ()


@pytest.mark.parametrize(
    "cue", ["hvisker", "kviskrar", "whispers", "roper", "ropar", "shouts", "trist", "sint", "redd"]
)
def test_styles_of_cues_are_words_that_the_engines_know(cue: str) -> None:
    (style,) = parse_markup(f"({cue}) Hei").styles
    assert moods(style)


def test_the_speaker_in_the_text_is_not_spoken() -> None:
    characters = ["Anna", "Gamle Ås"]
    assert parse_markup("Anna: Hei", characters).speaker == "Anna"
    assert parse_markup("GAMLE  ÅS : Hei", characters).display == "Hei"
    marked = parse_markup("Anna (hvisker): Hei", characters)
    assert (marked.speaker, marked.styles, marked.display) == ("Anna", ("hvisker",), "Hei")
    marked = parse_markup('[character name="Anna"/]Hei')
    assert (marked.speaker, marked.display) == ("Anna", "Hei")
    marked = parse_markup('[character name="Anna"]Anna: [/character]Hei')
    assert (marked.speaker, marked.display) == ("Anna", "Hei")


@pytest.mark.parametrize("text", ["Husk: Hei", "Anna\\: Hei", "Anna sa: Hei", "Anna:12", "Kari: Hei"])
def test_other_text_before_a_colon_is_spoken(text: str) -> None:
    marked = parse_markup(text, ["Anna"])
    assert marked.speaker == "" and marked.display == text.replace("\\", "")
    assert parse_markup("Anna: Hei").speaker == ""


@pytest.mark.parametrize(
    ("text", "what", "instead"),
    [
        ("Det er [sic] sant", "unknown markup '[sic]'", r"escape it with \[sic] or take it out"),
        ("[wvae]Hei[/wvae]", "unknown markup '[wvae]'", "did you mean 'wave'?"),
        ("<blnk>Hei</blnk>", "unknown markup '<blnk>'", r"escape it with \<blnk>"),
        ("Er a<b og c>d?", "unknown markup '<b og c>'", "not with what stands after it"),
        ("[uklart hva han sier]", "unknown markup", "escape it"),
        ("[[rød|blå]] bil", "'[[rød|blå]]' is chosen while the game runs", "one row for each outcome"),
        ("[if snill]Takk[else]Nei[endif]", "'[if snill]' is chosen", "column 'say'"),
        ('[select {$kjønn} m="han" f="hun"/]', "'[select", "escape"),
        ('[plural 2 one="en" other="%"/]', "'[plural", "column 'say'"),
        ("Hei {player_name}", "placeholder '{player_name}' has no value", "player_name: {substitute:"),
        ("Du har %d mynter", "placeholder '%d' has no value", '"%d": {substitute:'),
        ("<CHARNAME>, kom!", "placeholder '<CHARNAME>'", "CHARNAME:"),
        ("[player.name!t]", "placeholder '[player.name!t]'", '"player.name": '),
        ("<<if $snill>>Hei<<endif>>", "'<<if $snill>>' is a command", "take it out"),
        ("Hei [wave du", "'[' has no partner", r"\["),
        ("Hei {i du", "'{' has no partner", r"\{"),
        ("[img]res://x.png", "'[img]' is never closed", "[/img]"),
    ],
)
def test_what_no_clip_can_say_is_a_problem(text: str, what: str, instead: str) -> None:
    problems = parse_markup(text).problems
    found = [problem for problem in problems if problem[0].startswith(what)]
    if "[select" in text:  # braces in brackets cut the tag in two; either way it is reported
        assert problems
        return
    assert found and instead in found[0][1]


def test_a_problem_is_reported_once_however_often_it_stands_there() -> None:
    assert len(parse_markup("[foo]a[/foo][foo]b[/foo]").problems) == 1
    assert len(parse_markup("".join(f"[ukjent{n}]" for n in range(1000))).problems) <= 20


@pytest.mark.parametrize(
    "text", ["[[hei]", r"\[hei\]", "{{hei", r"\{hei\}", r"\<b\>", r"\*x\*", r"\(ler\)", r"C:\\mappe"]
)
def test_escapes_give_the_character_itself(text: str) -> None:
    marked = parse_markup(text)
    assert marked.problems == () and marked.remarks == ()
    assert marked.display == text.replace("[[", "[").replace("{{", "{").replace("\\\\", "\0").replace("\\", "").replace(
        "\0", "\\"
    )


def test_text_for_speech_or_for_the_screen_only() -> None:
    marked = parse_markup("{alt}tre stjerner{/alt}{noalt}☆☆☆{/noalt}")
    assert marked.display == "☆☆☆" and spoken("{alt}tre{/alt}{noalt}3{/noalt}") == [("tre", 0)]
    assert spoken("{rb}東{/rb}{rt}øst{/rt} Hei{done} borte") == [("東 Hei", 0)]


def test_a_text_that_is_only_shown_keeps_what_no_clip_could_say() -> None:
    marked = parse_markup("{i}Hei{/i} {navn}, [[rød|blå]] <ukjent>", shown_only=True)
    assert marked.problems == ()
    assert marked.display == "Hei {navn}, [[rød|blå]] <ukjent>"


def test_a_games_own_tags_can_be_named() -> None:
    assert spoken("[skjelv]Hei[/skjelv]", extra_tags=["Skjelv"]) == [("Hei", 0)]


def test_speech_tags_of_ssml_are_stripped_with_a_remark() -> None:
    marked = parse_markup('<speak><prosody rate="slow">Hei</prosody></speak>')
    assert marked.display == "Hei" and "not followed" in marked.remarks[0]


def test_letters_are_composed_and_invisible_signs_gone() -> None:
    assert spoken("A\u030a \u200bsov\u00ade\ufeff \u202e\x07\x00na\u030a\u00a0na\u030a") == [("Å sove nå nå", 0)]


@settings(deadline=None)  # the machine may be busy
@given(st.text(st.sampled_from("[]{}<>*()/=|\\&;:%#!aåb1 _\n\"'.i")) | st.text())
def test_any_text_is_taken_apart_without_loss_and_no_markup_reaches_speech(text: str) -> None:
    assert "".join(token.raw for token in scan(text)) == text
    marked = parse_markup(text, ["a"])
    for segment in marked.segments:
        assert not set(segment.text) & set("[]{}\\*\n\x00")
        assert segment.text == segment.text.strip() and segment.pause_after_ms >= 0


@settings(deadline=None)  # the machine may be busy
@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Zl", "Zp"))))
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    marked = parse_markup(escape_markup(text))
    assert marked.problems == () and marked.styles == ()
    assert marked.display == " ".join(unicodedata.normalize("NFC", text).split())


@pytest.mark.parametrize(
    "sign",
    [
        "[",
        "{",
        "<",
        "*",
        "(",
        "&",
        "[[",
        "{{",
        "[a",
        "{a",
        "<a",
        "*a",
        "(a",
        "[[a|",
        " (ler) ",
        "[img]",
        "\\",
        "%",
        " ",
    ],
)
def test_a_very_long_hostile_text_is_read_once(sign: str) -> None:
    """Quadratic reading of 100,000 signs would take minutes; the run of the tests would show it."""
    marked = parse_markup(sign * (100_000 // len(sign)), ["Anna"])
    assert len(marked.problems) <= 20 and len(marked.remarks) <= 20


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("(himler med øynene) Ja da.", "Ja da."),
        ("*trekker sverdet* Kom an!", "Kom an!"),
        ("*sukker tungt og ser bort* Nei.", "Nei."),
        ("Ja. (ser bort) Nei.", "Ja. Nei."),
        ("[banker på døra] Hallo?", "Hallo?"),
        ("(til Kari og Ola) Hei!", "Hei!"),
        ("(i telefonen) Hallo?", "Hallo?"),
        ("(V.O.) Det var en gang.", "Det var en gang."),
        ("(forts.) Hei.", "Hei."),
    ],
)
def test_what_a_figure_does_meanwhile_is_not_spoken(text: str, speech: str) -> None:
    marked = parse_markup(text)
    assert [segment.text for segment in marked.segments] == [speech]
    assert marked.problems == () and len(marked.remarks) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "Han gikk (ser du) hjem.",
        "(Kommer du snart?) Nei.",
        "Hun (smiler alltid) er snill.",
        "(tror jeg)",
        "(til slutt) Hei",
        "(les mer) Hei",
        "(Hun går ut.) Ha det!",
        "Hei (venter) du",
    ],
)
def test_ordinary_text_in_parentheses_is_spoken(text: str) -> None:
    marked = parse_markup(text)
    assert [segment.text for segment in marked.segments] == [text] and marked.remarks == ()


def test_a_smile_is_a_style_and_a_page_is_a_new_line() -> None:
    assert parse_markup("(smiler lurt) Ja.").styles == ("smiler lurt",)
    assert spoken("Hei<page>du\\tder") == [("Hei du der", 0)]
