"""The texts that every checkpoint reads to the gate: frozen, in three lengths, in none of the corpora.

Lengths matter because voices fail by length: a checkpoint may be perfect at 5 s and lose words past 20. So each tier
must pass by itself. Raise VERSION with any change: results of different texts are not comparable.

A few of the texts are read once more with a direction, because builds speak so too: the prompt template then has the
direction where it otherwise has the reference's transcript and speech. A checkpoint that was trained without directions
may be good at the one and fall apart, or read its direction aloud, at the other. These readings are a group of their
own and never mixed with the tiers: base models have been measured that fail nearly always with directions, and so much
noise would hide what the tiers say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

VERSION = 2

Tier = Literal["short", "middle", "long"]
TIERS: tuple[Tier, ...] = get_args(Tier)
DIRECTED: Final = "directed"
"""What stands for the tier of readings with a direction."""

SHORT = (
    "Kan du hente spaden som står bak låven før det blir mørkt?",
    "Jeg så tre måker på taket i dag, og en av dem hadde en fisk.",
    "Hvem har spist opp all grøten som jeg satte på kjøkkenbordet?",
    "Pass på trinnene, de er glatte etter regnet i natt!",
    "Bestefar sier at kartet ligger gjemt i den blå kista på loftet.",
    "Nei, vi kan ikke ta båten nå, for vinden er altfor sterk.",
    "Hun lo så høyt at hele klassen snudde seg og så på henne.",
    "Ta med deg lykta og følg stien helt ned til vannet.",
    "Det lukter nybakt brød her inne, akkurat som hjemme hos mor.",
    "Vet du hvorfor fyret ikke lyser lenger om kvelden?",
)
"""About 5 s each."""

MIDDLE = (
    "Da vi kom fram til hytta, var døra låst og vinduene dekket av snø. Per gikk rundt huset to ganger uten å finne "
    "nøkkelen. Til slutt løftet Anna på den flate steinen ved trappa, og der lå den, kald og blank.",
    "Hver morgen går fiskeren ned til brygga før sola står opp. Han ser på himmelen, kjenner på vinden og nikker til "
    "katta som venter på garnkassa. Om været er godt, ror han ut til den gamle holmen og kommer hjem til middag.",
    "Du må først samle fem bjørkekvister og legge dem i en ring. Deretter heller du litt vann i midten og venter til "
    "månen speiler seg der. Når lyset blir grønt, sier du ordet høyt og tydelig, men bare én gang.",
    "Læreren tegnet et stort hjul på tavla og spurte hva det kunne brukes til. Noen sa vogn, andre sa kvern, og Maria "
    "foreslo en klokke. Da smilte han og svarte at alle hadde rett, for et hjul kan nesten alt.",
    "I skogen bak skolen bor det en ugle som bare våkner når det tordner. Barna har aldri sett den, men de har hørt "
    "vingene. En høstkveld gikk Jonas dit alene med en sekk på ryggen og en pose nøtter i hånda.",
    "Toget sto stille i over en time, og ingen fortalte oss hvorfor. En dame delte ut kjeks, en gutt spilte munnspill, "
    "og etter hvert begynte folk å prate sammen. Da vi endelig kjørte, var det nesten litt synd.",
)
"""About 15 s each."""

LONG = (
    "Det var en gang en møller som hadde en datter og en kvern som aldri sto stille. Folk kom fra hele dalen med "
    "korn, og alle gikk hjem med mel. Men en vinter frøs elva til, og kverna stoppet. Mølleren satt ved vinduet og så "
    "på isen dag etter dag. Da tok datteren på seg de varme støvlene, gikk opp langs elva og lette etter kilden. Hun "
    "gikk i tre dager. Den fjerde morgenen fant hun en gammel mann som satt på et teppe og varmet hendene over et "
    "lite bål. Hva vil du her oppe, spurte han. Jeg vil ha vannet tilbake, svarte hun, for uten vann har vi ikke "
    "brød.",
    "Vi skal nå gå gjennom det gamle slottet, rom for rom, så hold dere samlet og rør ikke ved noe. Til venstre ser "
    "dere kjøkkenet, der kokken hadde åtte gryter i gang samtidig. Bak den smale døra ligger kjelleren. Den er mørk "
    "og fuktig, og ingen har vært der siden i fjor sommer. Opp trappa kommer vi til biblioteket. Legg merke til "
    "vinduet, det er laget av over to hundre små biter av farget glass. Sagnet sier at den som teller alle bitene "
    "riktig, får ett ønske. Hittil har ingen klart det, for lyset flytter seg hele tiden mens man teller.",
    "Kjære dagbok. I dag skjedde det noe merkelig på skolen. Rett etter matpausen begynte alle klokkene å gå "
    "baklengs. Først trodde jeg at det bare var klokka i gangen, men så kikket jeg på min egen, og viseren flyttet "
    "seg sakte mot venstre. Ingen andre merket det. Læreren snakket videre om elver og fjell, og Sander tegnet drager "
    "i boka si. Jeg rakte opp hånda, men akkurat da stoppet alt. Det ble helt stille, som når snøen faller om natta. "
    "Så banket det på døra, og inn kom en jente jeg aldri hadde sett før, men som visste hva jeg het.",
    "Værmeldingen for helgen lover sol på kysten og regn i fjellet. Fredag kveld blåser det opp fra vest, og fergene "
    "kan bli forsinket. Lørdag morgen letter skydekket, og temperaturen stiger til fjorten grader midt på dagen. Den "
    "som vil gå tur, bør velge de lave stiene, siden det fortsatt ligger snø i høyden. Søndag blir fin over hele "
    "landet, med svak vind og god sikt. Husk likevel varme klær, for nettene er kalde på denne tiden av året. Mot "
    "slutten av uka ventes det igjen skyer fra nord, og da kan det komme noen byger langs fjordene.",
)
"""30 s and more each."""

SCRIPTS: dict[Tier, tuple[str, ...]] = {"short": SHORT, "middle": MIDDLE, "long": LONG}

DIRECTIONS = ("varmt og rolig", "ivrig og glad", "lavt og alvorlig")
"""As directors of games write them; of more than one word, so that one that is read aloud can be told from chance."""

_DIRECTED = {text: DIRECTIONS[number % len(DIRECTIONS)] for number, text in enumerate((*SHORT[1:6], *MIDDLE[1:3]))}


def directed_texts(scripts: Mapping[Tier, Sequence[str]]) -> dict[str, str]:
    """Of some texts those that are read with a direction too, and with which."""
    wanted = {text for texts in scripts.values() for text in texts}
    return {text: style for text, style in _DIRECTED.items() if text in wanted}


def first_texts(count: int) -> Mapping[Tier, Sequence[str]]:
    """The first ``count`` texts of each length; all, where there are no more."""
    return {tier: texts[:count] for tier, texts in SCRIPTS.items()}
