"""The Norwegian words that the embedded judge was trained on and that its beam knows.

Typed for this project, grouped by inflection so that a few letters stand for several forms; no foreign word list
went in. The forms serve twice: ``training_text`` builds sentences from them, and ``vocabulary`` is the fixed part
of the beam's vocabulary. Words that are not here are still heard, letter by letter, at a price (``beam``).

Inflection classes of nouns: ``masculine`` gutt/gutten/gutter/guttene, ``feminine`` jente/jenta/jenter/jentene,
``neuter_short`` hus/huset/hus/husene, ``neuter_long`` eple/eplet/epler/eplene, ``agent`` lærer/læreren/lærere/lærerne.
``rom+m`` doubles the last consonant before an ending (rommet).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


FUNCTION_WORDS = _listed(
    """
og i på til for av med om at er var det den de et en ei jeg du han hun vi dere meg deg seg oss dem ham henne man
min mi mitt mine din di ditt dine sin si sitt sine vår vårt våre deres hans hennes dens dets som så men eller når da
der her hva hvem hvor hvordan hvorfor hvilken hvilket hvilke ikke ingen ingenting noe noen alle alt all hele hel bare
også nå snart aldri alltid ofte igjen ut inn opp ned bort hjem hjemme ute inne oppe nede borte over under mellom ved
fra mot etter før uten gjennom rundt bak foran langs blant hos siden mens fordi hvis dersom selv om skal kan vil må
bør får har hadde skulle kunne ville måtte burde fikk blir ble blitt bli være vært ha få jo vel nok kanskje litt mye
mer mest mange flere flest få færre hver hvert begge annen annet andre samme slik slikt slike denne dette disse seg
ja nei jo hei takk å eg ikkje kva kven kvar korleis kvifor dei ein eit frå berre noko nokon me dykk oss ho mi hadde
nokre alle mykje meir mest saman heim heime no då kan vil skal må vere vore er var blei blir han ho det dette desse
"""
)

NOUNS: dict[str, str] = {
    "masculine": """
gutt hund katt fisk fugl hest bjørn rev ulv elg mus+ stol stein skog vei bil båt buss sykkel/sykl drage konge prins
dronning vegg dør+ nøkkel/nøkl kopp gaffel/gafl kniv skje+ ball sekk hatt sokk jakke bukse sko+ hage
blomst busk gren kvist rot+ nese munn hals arm finger/fingr hånd+ mage rygg fot+ venn nabo bror+ onkel/onkl tante
familie skole klasse time dag kveld morgen natt+ uke måned vinter/vintr sommer/somr høst vår tanke drøm følelse
historie sang dans lek konkurranse premie gave pose pakke kasse skuff krok knapp lampe klokke ring lenke bro by gate
bakke fjord elv bekk innsjø øy strand+ bølge storm sky stjerne måne planet skygge farge tegning film tavle blyant
viskelær+ linjal saks bokstav lyd stemme oppgave prøve feil regel/regl beskjed hemmelighet plan ide grunn sjanse
suppe pizza pølse banan appelsin gulrot+ potet tomat agurk ost melk+ kake bolle is+ drikke tallerken butikk krone
pris penger+ jobb maskin motor knute kost bøtte spade hammer/hamr spiker/spikr planke kjeller etasje trapp vindu+
seng+ pute dyne teppe+ ovn peis grill telefon skjerm robot pirat heks ridder trollmann+ kaptein gjest+ tyv vokter+
person pasient elev voksen+ kommentar interesse mulighet bevegelse retning avstand hastighet vekt størrelse
""",
    "feminine": """
jente bok+ dame hytte klokke kirke lue veske flaske skål kanne tromme fløyte gitar+ vise regle gåte setning linje
side hylle pære plomme jordbær+ kråke måke ugle høne and+ gås+ geit+ ku+ mygge bille edderkopp+ mark+ eng li åker+
myr hei grøft hule tønne kiste krukke gryte panne øse tråd+ nål+ pinne lykt fakkel+ rute bane løype ski+ skøyte
kjelke snø+ sol+ tåre flamme lomme hette vott+ hylle mappe avis+ radio+ rolle vise stund
""",
    "neuter_short": """
hus barn dyr tre+ blad gress+ fjell vann+ hav land kart skip seil tau lys mørke+ rom+m tak gulv bord skap speil glass
brød smør+ egg kjøtt+ salt+ sukker+ korn+ mel+ fat brev kort spill lag mål poeng svar spørsmål ord språk navn tall
rop smil blikk øye+ øre+ hår+ kne+ bein hode+ hjerte+ ansikt+ år+ minutt sekund øyeblikk sted+ hull hjørne+ tårn
slott+ troll spøkelse+ eventyr+ gull+ sølv+ stykke+ par sett telt bål fly+ tog hjul ratt+ nett+ dikt kor
vær+ regn+ lyn torden+ tegn merke+ bilde+ hefte+ papir+ ark viskelær+ lim+ tips+ valg+ råd forslag
""",
    "neuter_long": """
eple bilde hjerte hode hjørne stykke merke hefte belte teppe rike minne møte spøkelse vindu+ eventyr+ kjøkken+
menneske+ våpen+ mysterium+ museum+ bibliotek+ problem+ system+ program+ sekund+ resultat+ instrument+ dokument+
""",
    "agent": """
lærer spiller baker fisker danser snekker maler jeger reiser leser forsker vinner taper hjelper leder kunstner
arbeider skuespiller fotballspiller bonde+ lege+ politi+ sykepleier forfatter tegner sanger svømmer løper genser
""",
}
"""A ``+`` at the end says that only the form itself is used: its inflection does not follow the class."""

IRREGULAR_NOUNS = _listed(
    """
bok boka boken bøker bøkene hånd hånda hånden hender hendene fot foten føtter føttene natt natta natten netter nettene
bror broren brødre brødrene søster søstera søsteren søstre søstrene mor moren mora mødre far faren fedre fedrene datter
datteren døtre sønn sønnen sønner mann mannen menn mennene kvinne kvinnen kvinner kvinnene barn barna tre treet trær
trærne kne kneet knær øye øyet øyne øynene øre øret ører ørene klær klærne sko skoen skoene ting tingen tingene tann
tanna tenner tennene tå tåa tær and anda ender endene gås gåsa gjess ku kua kyr kyrne mus musa mus musene bonde bonden
bønder bøndene sted stedet steder stedene vann vannet gull gullet sølv snø snøen sol sola solen melk melka smør smøret
vær været regn regnet strand stranda stranden strender seng senga senger dør døra døren dører dørene skje skjea skjeer
rot rota røtter penger pengene år året årene hår håret gress gresset lys lyset slott slottet slottene museum museet
bibliotek biblioteket vindu vinduet vinduer vinduene kjøkken kjøkkenet menneske mennesket mennesker menneskene
eventyr eventyret eventyrene hode hodet hoder ansikt ansiktet ansikter fly flyet flyene problem problemet problemer
mørke mørket papir papiret voksen voksne gjest gjesten gjester gjestene is isen nål nåla tråd tråden avis avisa
gitar gitaren mark marken kaffe kaffen te teen saft safta vaffel vafler middag middagen frokost frokosten mat maten
lunsj lunsjen ferie ferien helg helga bursdag bursdagen jul jula påske påsken mandag tirsdag onsdag torsdag fredag
lørdag søndag januar februar mars april mai juni juli august september oktober november desember Norge Oslo Bergen
"""
)

VERBS: dict[str, str] = {
    "et": """
kaste hente vente hoppe klatre danse snakke huske starte stoppe åpne lukke vaske jobbe øve lage male koste plukke
pakke banke hviske rope+ lytte miste passe slutte vandre handle dekke elske hate våkne svare+ undre telle+ samle
blande skrike+ trykke flytte rydde redde skade smake+ klappe tegne+ regne+ sparke hamre snuble krangle klemme+ trøste
besøke+ forklare ønske fiske støtte hilse kikke dytte knekke+ pusse binde+ ordne bytte skifte sjekke klikke
gjette lure prate nikke riste plante savne ringe+ sette+ jakte lede+ sulte fryse+ vinke hinke humpe rulle
""",
    "te": """
lese kjøre høre lære spise kjenne begynne hjelpe+ tenke kjøpe bruke reise vise+ svømme+ smile rope glemme smake
drømme lyse spille tenne føle klare skinne+ låne mene like fylle rense tegne svare tørke+ leke møte+ tale søke
besøke krype+ kjempe stråle blåse løse måle skjule tåle brenne steike fortelle+ velge+ spørre+
""",
    "de": """
prøve leve bygge+ eie gjøre+ leie streve grave kreve bøye pleie greie
""",
}

IRREGULAR_VERBS = _listed(
    """
gå går gikk gått komme kommer kom kommet se ser så sett si sier sa sagt ta tar tok tatt gi gir ga gitt vite vet visste
visst finne finner fant funnet sitte sitter satt sittet stå står sto stått ligge ligger lå ligget sove sover sov sovet
drikke drikker drakk drukket skrive skriver skrev skrevet synge synger sang sunget løpe løper løp løpt hjelpe hjelper
hjalp hjulpet bære bærer bar båret dra drar dro dratt fly flyr fløy fløyet falle faller falt finnes fins fantes gråte
gråter gråt grått le ler lo ledd la lar lot latt legge legger la lagt sette setter satte satt selge selger solgte solgt
spørre spør spurte spurt fortelle forteller fortalte fortalt velge velger valgte valgt gjøre gjør gjorde gjort
treffe treffer traff truffet vinne vinner vant vunnet forsvinne forsvinner forsvant bli blir ble stige stiger steg
springe springer sprang svømme svømmer svømte svømt følge følger fulgte fulgt bygge bygger bygde bygd tro tror trodde
trodd bo bor bodde bodd snu snur snudde snudd sy syr sydde sydd nå når nådde nådd ringe ringer ringte ringt vise viser
viste vist tørre tør torde skinne skinner skinte krype kryper krøp hete heter het het fryse fryser frøs holde holder
holdt slå slår slo slått slippe slipper slapp sluppet rekke rekker rakk sende sender sendte sendt vende vender vendte
kjenne kjent hende hender hendte skje skjer skjedde synes syntes trenger trengte trenge lete leter lette skynde
skynd gjem gjemme gjemmer gjemte heng henger hang
"""
)

ADJECTIVES = _listed(
    """
fin/t/e stor/t/e liten/lite/små lang/t/e kort/-/e ny/tt/e gammel/gammelt/gamle ung/t/e god/godt/gode dårlig/-/e
glad/-/e trist/-/e sint/-/e redd/-/e modig/-/e snill/snilt/e slem/slemt/slemme rask/t/e treg/t/e varm/t/e kald/t/e
våt/vått/e tørr/tørt/e mørk/t/e lys/t/e rød/rødt/røde blå/blått/blå grønn/grønt/e gul/t/e hvit/hvitt/e svart/-/e
brun/t/e grå/grått/grå tykk/tykt/e tynn/tynt/e tung/t/e lett/-/e høy/t/e lav/t/e dyp/t/e bred/t/e smal/t/e rund/t/e
rar/t/e morsom/morsomt/morsomme spennende/-/- vanskelig/-/e enkel/enkelt/enkle viktig/-/e farlig/-/e trygg/trygt/e
stille/-/- rolig/-/e sulten/sultent/sultne trøtt/-/e våken/våkent/våkne frisk/t/e syk/t/e sterk/t/e svak/t/e smart/-/e
klok/t/e flink/t/e dum/dumt/dumme hemmelig/-/e magisk/-/e ekte/-/- falsk/t/e vakker/vakkert/vakre stygg/stygt/e
søt/t/e sur/t/e bitter/bittert/bitre skitten/skittent/skitne ren/t/e tom/tomt/tomme full/fullt/e åpen/åpent/åpne
lukket/-/lukkede sliten/slitent/slitne ferdig/-/e klar/t/e sikker/sikkert/sikre usikker/usikkert/usikre
nysgjerrig/-/e tålmodig/-/e ærlig/-/e vennlig/-/e fryktelig/-/e herlig/-/e nydelig/-/e deilig/-/e riktig/-/e gal/t/e
hard/t/e myk/t/e skarp/t/e glatt/-/e bratt/-/e hel/t/e halv/t/e dobbel/dobbelt/doble norsk/-/e rik/t/e fattig/-/e
gratis/-/- kjent/-/e ukjent/-/e lik/t/e ulik/t/e forskjellig/-/e første/-/- siste/-/- neste/-/- største/-/- beste/-/-
"""
)

ADVERBS = _listed(
    """
fort sakte straks plutselig endelig allerede fremdeles fortsatt nesten ganske veldig egentlig heldigvis dessverre
sammen alene hit dit fram tilbake dag i morgen kveld langt nær videre kanskje gjerne bedre verre best omtrent akkurat
enda ennå lenge lenger sjelden først sist deretter etterpå likevel derfor ellers heller dessuten absolutt virkelig
selvfølgelig sikkert tydelig forsiktig høyt lavt vekk unna utenfor innenfor ovenpå nedenfor midt forbi overalt
"""
)

GREETINGS = _listed(
    """
hallo heisann velkommen unnskyld beklager vær så snill gratulerer bra flott supert perfekt hurra oi æsj au hysj stopp
vent kom se lytt nå morn hadet god tusen takk hjertelig
"""
)

NAMES = _listed(
    """
kari ola nora emil sofie jakob emma lukas ingrid henrik maja oskar liv bjørn astrid erik sara magnus thea jonas ida
tobias leah aksel frida marius hanna sander julie mathias amalie noah ella filip anna kristian elise martin eva
per pål espen askeladden hilde knut solveig torstein gunnar randi sigrid harald trine morten siri anders mette
oslo bergen trondheim stavanger tromsø bodø hamar lillehammer kristiansand ålesund molde narvik alta norge sverige
danmark finland island europa afrika amerika
"""
)

NYNORSK = _listed(
    """
eg ikkje kva kven kvar korleis kvifor dei ein eit frå berre noko nokon nokre mykje meir saman heim heime no då vere
vore veit gjer kjem seier ser får gjekk kom sa høyre høyrer høyrde sjå sjår såg finne fann hjelpe lese skrive kveld
morgon veke sjølv sjølve draum augo auge hovud jente jenta gutar gutane bøkene vatn vatnet fjellet heile eigen eiga
eige størst minst fyrst sist tenkje tenkjer tenkte køyre køyrer leike leikar kalla kallar hugsar hugse ynskjer lova
opnar opna vegen dagen jorda sola månen stjernene havet skulen læraren venen venene syster bror mor far song songen
"""
)


@dataclass(frozen=True)
class Noun:
    """The four forms of a noun and its gender (``m``, ``f``, ``n``)."""

    gender: str
    singular: str
    definite: str
    plural: str
    definite_plural: str


@dataclass(frozen=True)
class Verb:
    """The five forms that sentences use: infinitive, present, past, participle, imperative."""

    infinitive: str
    present: str
    past: str
    participle: str
    imperative: str


@dataclass(frozen=True)
class Adjective:
    """Common gender, neuter, plural and definite."""

    common: str
    neuter: str
    plural: str


def _noun(entry: str, kind: str) -> Noun:
    singular, _, stem = entry.partition("/")
    stem = stem or singular
    vowel = stem.endswith("e")
    doubled = stem + stem[-1] if singular == "rom" else stem
    if kind == "masculine":
        base = stem[:-1] if vowel else stem
        definite = singular + ("n" if singular.endswith("e") else "en")
        return Noun("m", singular, definite, base + "er", base + "ene")
    if kind == "feminine":
        base = stem[:-1] if vowel else stem
        return Noun("f", singular, base + "a", base + "er", base + "ene")
    if kind == "neuter_short":
        return Noun("n", singular, doubled + "et", singular, doubled + "ene")
    if kind == "neuter_long":
        base = stem[:-1] if vowel else stem
        return Noun("n", singular, base + "et", base + "er", base + "ene")
    return Noun("m", singular, singular + "en", singular + "e", singular + "ne")


@cache
def nouns() -> tuple[Noun, ...]:
    """All nouns that follow their class."""
    found = []
    for kind, entries in NOUNS.items():
        for entry in entries.split():
            if entry.endswith("+") and entry != "rom+m":
                continue
            found.append(_noun("rom" if entry == "rom+m" else entry, kind))
    return tuple(dict.fromkeys(found))


@cache
def verbs() -> tuple[Verb, ...]:
    """All verbs that follow their class."""
    endings = {"et": ("et", "et"), "te": ("te", "t"), "de": ("de", "d")}
    found = []
    for kind, entries in VERBS.items():
        for infinitive in (entry for entry in entries.split() if not entry.endswith("+")):
            stem = infinitive[:-1]
            # A double consonant is written once before -te and -t: spille, spilte, spilt. Imperatives keep it, but mm.
            single = stem[:-1] if kind == "te" and stem[-2] == stem[-1] else stem
            past, participle = endings[kind]
            imperative = stem[:-1] if stem.endswith("mm") else stem
            found.append(Verb(infinitive, infinitive + "r", single + past, single + participle, imperative))
    return tuple(dict.fromkeys(found))


@cache
def adjectives() -> tuple[Adjective, ...]:
    """All adjectives; ``fin/t/e`` is fin, fint, fine; ``-`` repeats the common form."""
    found = []
    for entry in ADJECTIVES:
        common, neuter, plural = entry.split("/")
        found.append(
            Adjective(
                common,
                common if neuter == "-" else common + neuter if neuter in ("t", "tt") else neuter,
                common if plural == "-" else common + plural if plural == "e" else plural,
            )
        )
    return tuple(found)


UNITS = _listed(
    "null en to tre fire fem seks sju åtte ni ti elleve tolv tretten fjorten femten seksten sytten atten nitten"
)
TENS = _listed("tjue tretti førti femti seksti sytti åtti nitti")
ORDINALS = _listed(
    "første andre tredje fjerde femte sjette sjuende syvende åttende niende tiende ellevte tolvte trettende fjortende "
    "femtende sekstende syttende attende nittende tjuende trettiende hundrede"
)


def number_words(number: int) -> str:
    """0 to 999,999 in words, as one says them in Bokmål: 2026 is 'to tusen og tjueseks'."""
    if number < 20:
        return UNITS[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return TENS[tens - 2] + (UNITS[rest] if rest else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        head = ("ett" if hundreds == 1 else UNITS[hundreds]) + " hundre"
        return head + (f" og {number_words(rest)}" if rest else "")
    thousands, rest = divmod(number, 1000)
    head = ("ett" if thousands == 1 else number_words(thousands)) + " tusen"
    if not rest:
        return head
    return f"{head} og {number_words(rest)}" if rest < 100 else f"{head} {number_words(rest)}"


@cache
def vocabulary() -> frozenset[str]:
    """The fixed vocabulary: every form that the training sentences use, lower case."""
    found: set[str] = set()
    for noun in nouns():
        found.update((noun.singular, noun.definite, noun.plural, noun.definite_plural))
    for verb in verbs():
        found.update((verb.infinitive, verb.present, verb.past, verb.participle, verb.imperative))
    for adjective in adjectives():
        found.update((adjective.common, adjective.neuter, adjective.plural))
    for number in range(100):
        found.update(number_words(number).split())
    for words in (FUNCTION_WORDS, IRREGULAR_NOUNS, IRREGULAR_VERBS, ADVERBS, GREETINGS, NAMES, NYNORSK, ORDINALS):
        found.update(word.lower() for word in words)
    found.update(_listed("hundre tusen million millioner milliard ett én syv tyve tredve kroner øre prosent komma"))
    return frozenset(word for word in found if len(word) > 1 or word in "iåø")
