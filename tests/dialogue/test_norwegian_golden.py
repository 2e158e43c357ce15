"""What is written and what is said: rows of (written, spoken) by subject, for Bokmål and Nynorsk.

Each row is one line that a writer could type. The tables read like documentation: to change what is said, change
a row first.
"""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet

from replikk.dialogue.norwegian.speakable import speakable

BOKMAAL = {
    "counting": """
        1, 2, 3                     | en, to, tre
        1 2 3                       | en to tre
        3, 2, 1, start!             | tre, to, en, start!
        1-2-3                       | en, to, tre
        10-9-8                      | ti, ni, åtte
        0                           | null
        1                           | en
        7                           | sju
        20                          | tjue
        21                          | tjueen
        30                          | tretti
        48                          | førtiåtte
        100                         | hundre
        101 dalmatinere             | hundre og en dalmatinere
        250 poeng                   | to hundre og femti poeng
        365 dager                   | tre hundre og sekstifem dager
        1000 takk!                  | tusen takk!
        1001 natt                   | tusen og en natt
        1250 kroner                 | ett tusen to hundre og femti kroner
        1500 mennesker              | ett tusen fem hundre mennesker
        2100                        | to tusen ett hundre
        9999                        | ni tusen ni hundre og nittini
        Du har 3 liv igjen!         | Du har tre liv igjen!
        1 og 1 er 2                 | en og en er to
        Er du 1 eller 2?            | Er du en eller to?
    """,
    "the gender of one": """
        1 krone                     | en krone
        1 jente og 1 gutt           | en jente og en gutt
        1 eple                      | ett eple
        1 rødt eple                 | ett rødt eple
        1 gulleple                  | ett gulleple
        1 år                        | ett år
        21 år                       | tjueett år
        1 minutt                    | ett minutt
        1 barn                      | ett barn
        1 poeng                     | ett poeng
        1 stein                     | en stein
        1 helt                      | en helt
        1 egenskap                  | en egenskap
        1 brev og 1 oppdrag         | ett brev og ett oppdrag
        1 magisk sverd              | ett magisk sverd
        1 sint bjørn                | en sint bjørn
        1 menneske                  | ett menneske
        1 testing                   | en testing
    """,
    "thousands": """
        12 500                      | tolv tusen fem hundre
        12.500 kroner               | tolv tusen fem hundre kroner
        1 000 dager                 | tusen dager
        10 000 meter                | ti tusen meter
        21 000 mennesker            | tjueett tusen mennesker
        100 000                     | hundre tusen
        1.000.000                   | en million
        1,000,000                   | en million
        1 000 000 innbyggere        | en million innbyggere
        2 000 005                   | to millioner og fem
        1 234 567                   | en million to hundre og trettifire tusen fem hundre og sekstisju
        1 000 000 000               | en milliard
        12 034                      | tolv tusen og trettifire
    """,
    "negative numbers and decimals": """
        -5                          | minus fem
        -5 grader                   | minus fem grader
        −5 °C                       | minus fem grader celsius
        –5 grader                   | minus fem grader
        (-5)                        | (minus fem)
        fra -5 til 10               | fra minus fem til ti
        3,5                         | tre komma fem
        0,5                         | null komma fem
        0,05                        | null komma null fem
        3,14                        | tre komma fjorten
        3,14159                     | tre komma en fire en fem ni
        1,5 km                      | en komma fem kilometer
        Han er 1,80 m.              | Han er en komma åtti meter.
    """,
    "fractions": """
        ½                           | en halv
        ½ eple                      | et halvt eple
        3½ time                     | tre og en halv time
        1/2                         | en halv
        3/4                         | tre fjerdedeler
        1/3 av kaka                 | en tredjedel av kaka
        2/3                         | to tredjedeler
        7/20                        | sju tjuedeler
        1 1/2 kg                    | ett og et halvt kilo
        2 1/2 t                     | to og en halv time
        1 3/4 liter                 | en og tre fjerdedeler liter
        10/10                       | ti av ti
        50/50                       | femti femti
        Vi har 1/3 igjen.           | Vi har en tredjedel igjen.
        3/4 timer                   | tre fjerdedeler timer
    """,
    "ordinals": """
        1. mai                      | første mai
        17. mai                     | syttende mai
        17.mai                      | syttende mai
        5. klasse                   | femte klasse
        5.klasse                    | femte klasse
        I 1. etasje bor Kari.       | I første etasje bor Kari.
        på 1. og 2. plass           | på første og andre plass
        den 3.                      | den tredje.
        Møt meg den 3. Ikke kom for sent. | Møt meg den tredje. Ikke kom for sent.
        Han er 12.                  | Han er tolv.
        Han er 12. Hun er 10.       | Han er tolv. Hun er ti.
        2. verdenskrig              | andre verdenskrig
        3.-5. klasse                | tredje til femte klasse
        1., 2. og 3. plass          | første, andre og tredje plass
        17.–19. mai                 | syttende til nittende mai
        17-19. mai                  | syttende til nittende mai
        1. juledag                  | første juledag
        Den 100. dagen              | Den hundrede dagen
        21. gang                    | tjueførste gang
        30. november                | trettiende november
        nr. 2.                      | nummer to.
        en 5.-klassing              | en femteklassing
        Fredag 13.                  | Fredag trettende.
        Fredag 13. er en fin dag.   | Fredag trettende er en fin dag.
        1. kl.                      | første klasse
        3. pers. entall             | tredje person entall
    """,
    "years, decades and centuries": """
        i 1984                      | i nitten åttifire
        1984                        | nitten åttifire
        i 1814                      | i atten fjorten
        i 1900                      | i nitten hundre
        i 1905                      | i nitten null fem
        i 1030                      | i ti tretti
        i 872                       | i åtte hundre og syttito
        i 2000                      | i to tusen
        i 2005                      | i to tusen og fem
        i 2010                      | i tjue ti
        år 2024                     | år tjue tjuefire
        mai 1814                    | mai atten fjorten
        Han ble født i 1990, og døde i 2020. | Han ble født i nitten nitti, og døde i tjue tjue.
        mellom 1814 og 1905         | mellom atten fjorten og nitten null fem
        1939–1945                   | nitten trettini til nitten førtifem
        1940-45                     | nitten førti til førtifem
        skoleåret 2023/24           | skoleåret tjue tjuetre tjuefire
        2024 kroner                 | to tusen og tjuefire kroner
        nummer 1984                 | nummer ett tusen ni hundre og åttifire
        på 1800-tallet              | på attenhundretallet
        1700- og 1800-tallet        | syttenhundre- og attenhundretallet
        på 80-tallet                | på åttitallet
        på 1980-tallet              | på nitten åttitallet
        90-årene                    | nittiårene
        500 f.Kr.                   | fem hundre før Kristus.
        ca. 50 e.Kr. Det var lenge siden. | cirka femti etter Kristus. Det var lenge siden.
        f. 1984                     | født nitten åttifire
        Året var 1349.              | Året var tretten førtini.
        f. 1813, d. 1896            | født atten tretten, død atten nittiseks
    """,
    "dates": """
        17.05.2024                  | syttende mai tjue tjuefire
        17.5.2024                   | syttende mai tjue tjuefire
        17.5.                       | syttende mai.
        Det er 17.5. i morgen.      | Det er syttende mai i morgen.
        den 17.5                    | den syttende mai
        2024-05-17                  | syttende mai tjue tjuefire
        17/5                        | syttende mai
        24/12                       | tjuefjerde desember
        7/12                        | sjuende desember
        den 1/5                     | den første mai
        17/5-24                     | syttende mai tjuefire
        17. mai 1814                | syttende mai atten fjorten
        5. jan. 2023                | femte januar tjue tjuetre
        lør. 5. nov. kl. 12         | lørdag femte november klokka tolv
        Det er den 24. desember     | Det er den tjuefjerde desember
        Hun er født 29.2.2004.      | Hun er født tjueniende februar to tusen og fire.
        mandag–fredag               | mandag til fredag
        åpent man.–fre. 9–17        | åpent mandag til fredag ni til sytten
        3. mai–5. juni              | tredje mai til femte juni
        apr. 2024                   | april tjue tjuefire
        17-05-24                    | syttende mai tjuefire
    """,
    "clock times": """
        kl. 14.30                   | klokka fjorten tretti
        kl.14.30                    | klokka fjorten tretti
        Kl. 8 er det frokost.       | Klokka åtte er det frokost.
        kl 8                        | klokka åtte
        klokka 8:05                 | klokka åtte null fem
        klokken 10.10               | klokken ti ti
        klokka er 12.15             | klokka er tolv femten
        klokka 1                    | klokka ett
        klokka 21                   | klokka tjueen
        14:30                       | fjorten tretti
        Bussen går 07.45.           | Bussen går sju førtifem.
        06:00                       | klokka seks
        Toget går 06:00.            | Toget går klokka seks.
        00:15                       | null null femten
        kl. 9-11                    | klokka ni til elleve
        kl. 08.00–16.00             | klokka åtte til seksten
        14:30-15:00                 | fjorten tretti til femten
        fra kl. 8 til kl. 16        | fra klokka åtte til klokka seksten
        3. november kl. 18.00       | tredje november klokka atten
    """,
    "ranges and scores": """
        8-10 år                     | åtte til ti år
        8 - 10 år                   | åtte til ti år
        5–6                         | fem til seks
        s. 3–5                      | side tre til fem
        10-20 %                     | ti til tjue prosent
        uke 3–5                     | uke tre til fem
        2,5-3,5 kg                  | to komma fem til tre komma fem kilo
        3–1                         | tre en
        2-0                         | to null
        Vi vant 3-1!                | Vi vant tre en!
        De tapte 1-2.               | De tapte en to.
        Stillingen er 1-1.          | Stillingen er en en.
        A–Å                         | A til Å
        kr 50–100                   | femti til hundre kroner
        7-9-13!                     | sju, ni, tretten!
    """,
    "money": """
        25 kr                       | tjuefem kroner
        kr 25                       | tjuefem kroner
        Kr. 50                      | femti kroner
        1 kr                        | en krone
        21 kr                       | tjueen kroner
        25kr                        | tjuefem kroner
        25,50 kr                    | tjuefem kroner og femti øre
        1,50 kr                     | en krone og femti øre
        0,50 kr                     | femti øre
        12 kr 50 øre                | tolv kroner femti øre
        kr 5,00                     | fem kroner
        kr 100,-                    | hundre kroner
        100,-                       | hundre kroner
        49,– for alt                | førtini kroner for alt
        kr 1 250,50                 | ett tusen to hundre og femti kroner og femti øre
        10 000 kr                   | ti tusen kroner
        Det koster 25 kr.           | Det koster tjuefem kroner.
        Det koster 25 kr. Kjøp det! | Det koster tjuefem kroner. Kjøp det!
        25 kr. og ikke mer          | tjuefem kroner og ikke mer
        -20 kr                      | minus tjue kroner
        25 kr/kg                    | tjuefem kroner per kilo
        $5                          | fem dollar
        $5.50                       | fem dollar og femti cent
        € 10                        | ti euro
        10 €                        | ti euro
        £3                          | tre pund
        £1                          | ett pund
        500 NOK                     | fem hundre kroner
        5 mill. kr                  | fem millioner kroner
        1 mill. kroner              | en million kroner
        2,5 mrd. kr                 | to komma fem milliarder kroner
        prisen i kr                 | prisen i kroner
        ¥500                        | fem hundre yen
        3 mrd.                      | tre milliarder.
        mange mill. kroner          | mange millioner kroner
    """,
    "units": """
        5 km                        | fem kilometer
        3m                          | tre meter
        80 km/t                     | åtti kilometer i timen
        km/t                        | kilometer i timen
        1 kg                        | ett kilo
        5kg                         | fem kilo
        1 t 20 min                  | en time tjue minutter
        5 t                         | fem timer
        10 min.                     | ti minutter.
        10 min. til                 | ti minutter til
        1 min                       | ett minutt
        5 s                         | fem sekunder
        2 mnd. gammel               | to måneder gammel
        ½ l melk                    | en halv liter melk
        2 dl mel og 1 ts salt       | to desiliter mel og en teskje salt
        25 °C                       | tjuefem grader celsius
        1 °C                        | en grad celsius
        90°                         | nitti grader
        60°23′ nord                 | seksti grader tjuetre minutter nord
        5° 1' 15"                   | fem grader ett minutt femten sekunder
        25 %                        | tjuefem prosent
        25%                         | tjuefem prosent
        1 %                         | en prosent
        3 ‰                         | tre promille
        5 m²                        | fem kvadratmeter
        20 m3                       | tjue kubikkmeter
        100 kWh                     | hundre kilowattimer
        16 GB                       | seksten gigabyte
        5 stk.                      | fem stykker.
        maks. 3 stk. per person     | maks tre stykker per person
        7 mrd. mennesker            | sju milliarder mennesker
        2 t-skjorter                | to te-skjorter
        500 moh.                    | fem hundre meter over havet.
        12 kg/m³                    | tolv kilo per kubikkmeter
        9,8 m/s²                    | ni komma åtte meter per sekund i andre
        60 fps                      | seksti bilder i sekundet
        2000 mAh                    | to tusen milliamperetimer
        5 km/dag                    | fem kilometer per dag
        1 pk. gjær                  | en pakke gjær
        per mnd.                    | per måned.
        20″                         | tjue tommer
    """,
    "sums": """
        2 + 2 = 4                   | to pluss to er lik fire
        2+2=4                       | to pluss to er lik fire
        8 - 3                       | åtte minus tre
        8 – 3 = 5                   | åtte minus tre er lik fem
        5-3=2                       | fem minus tre er lik to
        5 x 3                       | fem ganger tre
        5×3                         | fem ganger tre
        3 · 4 = 12                  | tre ganger fire er lik tolv
        10 : 2                      | ti delt på to
        10÷2=5                      | ti delt på to er lik fem
        6/2 = 3                     | seks delt på to er lik tre
        5²                          | fem i andre
        2³ = 8                      | to i tredje er lik åtte
        2^10                        | to opphøyd i ti
        √16 = 4                     | kvadratroten av seksten er lik fire
        Er 5 > 3?                   | Er fem større enn tre?
        5 < 7                       | fem er mindre enn sju
        7 > 5                       | sju er større enn fem
        16:9                        | seksten til ni
        2x + 1 = 5                  | to eks pluss en er lik fem
        (2+3) x 4                   | (to pluss tre) ganger fire
        < 5 min                     | mindre enn fem minutter
        > 18 år                     | mer enn atten år
        Jeg fikk 6- på prøven.      | Jeg fikk seks minus på prøven.
    """,
    "phone numbers, codes and versions": """
        tlf. 22 33 44 55            | telefon tjueto trettitre førtifire femtifem
        815 49 300                  | åtte en fem førtini tre null null
        +47 22 33 44 55             | pluss førtisju tjueto trettitre førtifire femtifem
        +47                         | pluss førtisju
        Ring 22334455 nå!           | Ring tjueto trettitre førtifire femtifem nå!
        007                         | null null sju
        Koden er 1984.              | Koden er en ni åtte fire.
        PIN-kode: 0417              | Pin-kode: null fire en sju
        0150 Oslo                   | null en fem null Oslo
        2.0                         | to punkt null
        versjon 1.2.3               | versjon en punkt to punkt tre
        versjon 2.10                | versjon to punkt ti
        Windows 11                  | Windows elleve
        24/7                        | tjuefire sju
        tlf: 22334455               | telefon: tjueto trettitre førtifire femtifem
        v2.5                        | versjon to punkt fem
    """,
    "numbers in words": """
        en 6-åring                  | en seksåring
        5-6-åringer                 | fem til seksåringer
        5- og 6-åringer             | fem- og seksåringer
        1-åring                     | ettåring
        24-timers                   | tjuefiretimers
        100-meter                   | hundremeter
        50-lapp                     | femtilapp
        1-tallet                    | ettallet
        Han fikk en 6-er!           | Han fikk en sekser!
        to 1-ere                    | to enere
        1,5-liters flaske           | en komma fem liters flaske
        2x                          | to ganger
        7-Eleven                    | sju Eleven
    """,
    "letters and numbers": """
        A4                          | a fire
        B2                          | be to
        R2D2                        | err to dé to
        R2-D2                       | err to dé to
        rom 12B                     | rom tolv be
        E6                          | e seks
        F-16                        | eff seksten
        MP3                         | emm pe tre
        3D                          | tre dé
        CO2 og H2O                  | se o to og hå to o
        TV2                         | te ve to
        nr. 5                       | nummer fem
        #3                          | nummer tre
        § 5                         | paragraf fem
        §§ 5-7                      | paragrafene fem til sju
    """,
    "kings and roman numerals": """
        Harald V                    | Harald den femte
        Kong Olav V var populær.    | Kong Olav den femte var populær.
        Dronning Elisabeth I        | Dronning Elisabeth den første
        Elisabeth II                | Elisabeth den andre
        Har du sett Harald I går?   | Har du sett Harald I går?
        kapittel IV                 | kapittel fire
        del II                      | del to
        VI VANT!                    | VI VANT!
        LIV OG DØD                  | LIV OG DØD
        Kong Haakon 7.              | Kong Haakon den sjuende.
        Pave Johannes Paul II       | Pave Johannes Paul den andre
    """,
    "abbreviations": """
        f.eks. epler                | for eksempel epler
        F.eks. dette.               | For eksempel dette.
        f. eks. dette               | for eksempel dette
        f.eks dette                 | for eksempel dette
        epler, pærer osv.           | epler, pærer og så videre.
        Epler osv. Så gikk vi.      | Epler og så videre. Så gikk vi.
        epler, pærer osv...         | epler, pærer og så videre...
        bl.a. dette                 | blant annet dette
        dvs. at vi går              | det vil si at vi går
        d.v.s. i dag                | det vil si i dag
        ca. 5                       | cirka fem
        ca 5                        | cirka fem
        ~5                          | cirka fem
        hr. Hansen                  | herr Hansen
        fr. Berg og frk. Lund       | fru Berg og frøken Lund
        Dr. Hansen kommer.          | Doktor Hansen kommer.
        Mr. Bean                    | Mister Bean
        prof. Lie                   | professor Lie
        m.m.                        | med mer.
        m.fl. kom                   | med flere kom
        pga. regn                   | på grunn av regn
        mht. prisen                 | med hensyn til prisen
        ift. i går                  | i forhold til i går
        iht. loven                  | i henhold til loven
        evt. senere                 | eventuelt senere
        jf. § 3                     | jamfør paragraf tre
        o.l.                        | og lignende.
        ang. møtet                  | angående møtet
        min. 5 deltakere            | minimum fem deltakere
        Den er min.                 | Den er min.
        maks. 10                    | maks ti
        kap. 3, s. 12               | kapittel tre, side tolv
        t.o.m. fredag               | til og med fredag
        f.o.m. mandag               | fra og med mandag
        v/ Kari                     | ved Kari
        m/ saus                     | med saus
        etc.                        | et cetera.
        St. Olav                    | Sankt Olav
        Flasken er tom. Kom!        | Flasken er tom. Kom!
        Man må si det.              | Man må si det.
        vha. magi                   | ved hjelp av magi
        v.h.a. magi                 | ved hjelp av magi
        i hht. planen               | i henhold til planen
        fr.o.m. mandag              | fra og med mandag
        inkl. mva.                  | inklusive merverdiavgift.
        mvh Ola                     | med vennlig hilsen Ola
        Kpt. Sabeltann              | Kaptein Sabeltann
        sgt. Berg                   | sersjant Berg
        Gen. Solo                   | General Solo
        Det er et gen. Han vet det. | Det er et gen. Han vet det.
        Alt. 2: Løp                 | Alternativ to: Løp
        Det var alt. 3 dager gikk.  | Det var alt. tre dager gikk.
        lv. 5                       | nivå fem
        tidl. konge                 | tidligere konge
        div. ting                   | diverse ting
        № 5                         | nummer fem
    """,
    "acronyms": """
        NRK                         | enn err kå
        NRKs                        | enn err kås
        USA                         | u ess a
        U.S.A.                      | u ess a.
        EU-landene                  | e u-landene
        VG                          | ve ge
        TV                          | te ve
        TV-en                       | te ve-en
        pc og tv                    | pe se og te ve
        CD                          | se dé
        DNA                         | dé enn a
        FN                          | eff enn
        OL                          | o ell
        OK                          | o kå
        Ok!                         | o kå!
        SMS                         | ess emm ess
        NATO                        | Nato
        UNESCO                      | Unesco
        STOPP!                      | STOPP!
        NEI                         | NEI
        HEI PÅ DEG                  | HEI PÅ DEG
        HYSJ!                       | HYSJ!
        PSST!                       | PSST!
        BRRR                        | BRRR
        JEG SER PÅ TV!              | JEG SER PÅ te ve!
        OMG!                        | o emm ge!
        ADHD                        | a dé hå dé
        FBI og BFF                  | eff be i og be eff eff
        ARGH!                       | ARGH!
        FLYKT!                      | FLYKT!
        SPLÆTT                      | SPLÆTT
    """,
    "letters of the alphabet": """
        Bokstaven M                 | Bokstaven emm
        B som i ball                | be som i ball
        A, B, C                     | A, be, se
        d                           | dé
        Finn bokstaven B. Den er blå. | Finn bokstaven be. Den er blå.
        Skriv Æ, Ø og Å.            | Skriv Æ, Ø og Å.
        W og Z                      | dobbelt-ve og sett
        a) hund b) katt             | a) hund be) katt
        T-bane                      | te-bane
        e-post                      | e-post
        Hva er x?                   | Hva er eks?
        I dag er det fint.          | I dag er det fint.
        Å nei!                      | Å nei!
        Å lese er gøy.              | Å lese er gøy.
        Vi bor ved en å.            | Vi bor ved en å.
        mmm                         | mmm
        sss                         | sss
        MMM                         | MMM
        s-s-s                       | s-s-s
        K-A-T-T                     | kå, a, te, te
        S, O, L. Sol!               | ess, O, ell. Sol!
        Hm                          | Hm
        J-jeg vet ikke              | J-jeg vet ikke
        H.C. Andersen               | hå se Andersen
        Ole K. Hansen               | Ole kå Hansen
    """,
    "signs and addresses": """
        Salt & pepper               | Salt og pepper
        og/eller                    | og eller
        han/hun                     | han eller hun
        ola@firma.no                | ola alfakrøll firma punktum no
        www.nrk.no                  | ve ve ve punktum enn err kå punktum no
        C++                         | se pluss pluss
        ⭐ Bra! 🎉                   | Bra!
        • Gå hjem                   | Gå hjem
    """,
    "quotes, dashes and blanks": """
        «Hei», sa han               | "Hei", sa han
        “Hei”                       | "Hei"
        Det er mamma’s              | Det er mamma's
        – Hei!                      | Hei!
        Det var – tror jeg – sant   | Det var, tror jeg, sant
        Vent! – Nei.                | Vent! Nei.
        "Hei!", sa hun.             | "Hei!", sa hun.
        Han sa: "Vent 5 min."       | Han sa: "Vent fem minutter."
        ja—nei                      | ja, nei
        by- og landliv              | by- og landliv
        Oslo–Bergen                 | Oslo-Bergen
        Vent… nå!                   | Vent... nå!
        Hva?!                       | Hva?!
    """,
    "counts with a stroke": """
        Du trenger 3/5 nøkler.      | Du trenger tre av fem nøkler.
        Nøkler: 3/5                 | Nøkler: tre av fem
        HP: 50/100                  | hå pe: femti av hundre
        Oppdrag 3/10 fullført       | Oppdrag tre av ti fullført
        Steg 1/3                    | Steg en av tre
        Jeg gir den 8/10!           | Jeg gir den åtte av ti!
        I dag er det 8/10.          | I dag er det åttende oktober.
        Hva er 10/2?                | Hva er ti delt på to?
        Hva er 10:2?                | Hva er ti delt på to?
        Hva er 3/4?                 | Hva er tre fjerdedeler?
        målestokk 1:50 000          | målestokk en til femti tusen
    """,
    "faces made of signs": """
        Hei :)                      | Hei
        Jeg er glad :D              | Jeg er glad
        Så bra:D                    | Så bra
        Uff :-(                     | Uff
        Huff :'(                    | Huff
        ok :P                       | o kå
        ;) Kom da.                  | Kom da.
        haha xD                     | haha
        ^^ så søt                   | så søt
        Glad i deg <3               | Glad i deg
        <3 <3 Takk!                 | Takk!
        Er x <3?                    | Er eks mindre enn tre?
        Plan: D                     | Plan: dé
        8) Gå hjem                  | åtte) Gå hjem
        5 - 5 =0                    | fem minus fem er lik null
        versjon 0.0                 | versjon null punkt null
    """,
}

NYNORSK = {
    "numbers": """
        1, 2, 3                     | ein, to, tre
        1 krone                     | ei krone
        1 veke                      | ei veke
        1 år                        | eitt år
        1 dag                       | ein dag
        21 dagar                    | tjueein dagar
        1000                        | tusen
        1 100                       | eitt tusen eitt hundre
        1 000 000                   | ein million
        2 000 000 kroner            | to millionar kroner
        0,5                         | null komma fem
        1½ time                     | ein og ein halv time
        ½ eple                      | eit halvt eple
        3/4                         | tre firedelar
        7. klasse                   | sjuande klasse
        2. verdskrigen              | andre verdskrigen
        20. gong                    | tjuande gong
        5 x 3 = 15                  | fem gonger tre er lik femten
        6-åring                     | seksåring
        frå 1905                    | frå nitten null fem
        på 1800-talet               | på attenhundretalet
        i 2024                      | i tjue tjuefire
        17. mai                     | syttande mai
        21.4.                       | tjueførste april.
        kl. 14.30                   | klokka fjorten tretti
        kl. 1                       | klokka eitt
    """,
    "money and units": """
        1 kr                        | ei krone
        25,50 kr                    | tjuefem kroner og femti øre
        2,5 mill. kr                | to komma fem millionar kroner
        3 timar og 1 min.           | tre timar og eitt minutt.
        5 t                         | fem timar
        2 mnd. seinare              | to månader seinare
        25 °C                       | tjuefem gradar celsius
        60°23′                      | seksti gradar tjuetre minutt
        80 km/t                     | åtti kilometer i timen
    """,
    "abbreviations": """
        t.d. eple                   | til dømes eple
        m.a. dette                  | mellom anna dette
        eple, pærer osv.            | eple, pærer og så vidare.
        o.s.b.                      | og så bortetter.
        dvs. i dag                  | det vil seie i dag
        o.l.                        | og liknande.
        m.m.                        | med meir.
        mht. prisen                 | med omsyn til prisen
        u/ sukker                   | utan sukker
        ca. 5                       | cirka fem
        NRK                         | enn err kå
    """,
}


def _rows(tables: dict[str, str]) -> list[ParameterSet]:
    rows = []
    for subject, table in tables.items():
        for line in table.strip().splitlines():
            written, spoken = (cell.strip() for cell in line.split(" | "))
            rows.append(pytest.param(written, spoken, id=f"{subject}: {written}"))
    return rows


@pytest.mark.parametrize(("written", "spoken"), _rows(BOKMAAL))
def test_bokmaal(written: str, spoken: str) -> None:
    assert speakable(written, "nb") == spoken


@pytest.mark.parametrize(("written", "spoken"), _rows(NYNORSK))
def test_nynorsk(written: str, spoken: str) -> None:
    assert speakable(written, "nn") == spoken
