"""``replikk compare``: why a line was flagged, or would be, from the texts alone; one pair or a table of them."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.lexicon import Lexicon, read_lexicon
from replikk.dialogue.markup import parse_markup
from replikk.dialogue.voices import read_voices
from replikk.errors import DialogueError, Problem, ReplikkError
from replikk.judges.compare import Comparison, compare
from replikk.judges.hallucinations import signs
from replikk.judges.plain_rates import plain_rates
from replikk.judges.words import split_words

_LOCALES = ("nb", "nn")
_COLUMNS = ("id", "script", "heard")


@dataclass(frozen=True)
class Pair:
    """A script and what was heard for it."""

    line_id: str
    script: str
    heard: str
    locale: str
    """``nb``, ``nn``, or empty for a line that allows both."""


@dataclass(frozen=True)
class Known:
    """What a project knows about its words."""

    lexicon: Lexicon = field(default_factory=Lexicon)
    cast_names: tuple[str, ...] = ()


def known_words(config: Config | None, lexicon: Path | None = None, cast_names: Sequence[str] = ()) -> Known:
    """The project's lexicon and cast, where there is a project, and those that the command line names.

    Raises DialogueError when a file cannot be used, ReplikkError when a lexicon that was named is not there.
    """
    names: list[str] = list(cast_names)
    problems: list[Problem] = []
    path = lexicon
    if path is not None and not path.is_file():
        raise ReplikkError(f"{path}: there is no such lexicon; check the name")
    if config is not None:
        path = path or config.dialogue_dir / "lexicon.tsv"
        cast = config.dialogue_dir / "voices.yaml"
        if cast.is_file():
            voices, wrong = read_voices(cast, config.engine)
            names += voices.cast_names
            problems += wrong
    entries = Lexicon()
    if path is not None:
        entries, wrong = read_lexicon(path)
        problems += wrong
    if problems:
        raise DialogueError(problems)
    return Known(entries, tuple(dict.fromkeys(names)))


def compare_pairs(pairs: Iterable[Pair], known: Known) -> list[dict[str, Any]]:
    """One record per pair, ready for JSON: ``id``, ``same``, ``wer``, ``cer``, ``alignment`` and what explains them.

    ``plain_wer`` and ``plain_cer`` are jiwer's, over lower case without punctuation: the figures that others publish.
    """
    pairs = list(pairs)
    plain = plain_rates([pair.script for pair in pairs], [pair.heard for pair in pairs])
    return [_record(pair, _compare(pair, known), wer, cer) for pair, (wer, cer) in zip(pairs, plain, strict=True)]


def _compare(pair: Pair, known: Known) -> Comparison:
    """Of a script with markup, the nearer of what its sheet would have a voice say and of what stands there."""
    as_written = _compare_texts(pair, pair.script, known)
    if as_written.wer == 0:
        return as_written
    marked = parse_markup(pair.script)
    spoken = " ".join(segment.text for segment in marked.segments)
    if marked.problems or not spoken or split_words(spoken) == split_words(pair.script):
        return as_written
    return min(_compare_texts(pair, spoken, known), as_written, key=lambda found: found.wer)


def _compare_texts(pair: Pair, script: str, known: Known) -> Comparison:
    used: dict[tuple[str, str], None] = {}
    for locale in (pair.locale,) if pair.locale else _LOCALES:
        used.update(dict.fromkeys(known.lexicon.apply(script, "", locale)[1]))
    return compare(
        script,
        pair.heard,
        locale=pair.locale,
        respelt=tuple(used),
        cast_names=known.cast_names,
        other_forms=True,
    )


def _record(pair: Pair, found: Comparison, plain_wer: float, plain_cer: float) -> dict[str, Any]:
    return {
        "id": pair.line_id,
        "same": found.wer == 0,
        "wer": round(found.wer, 4),
        "cer": round(found.cer, 4),
        "alignment": [list(step) for step in found.alignment],
        "accepted": [{"kind": kind, "script": expected, "heard": heard} for kind, expected, heard in found.accepted],
        "reasons": [{"code": sign.code, "text": sign.text} for sign in signs(pair.script, pair.heard, found)],
        "plain_wer": round(plain_wer, 4),
        "plain_cer": round(plain_cer, 4),
        "words_expected": found.words_expected,
        "words_heard": found.words_heard,
    }


def explain(record: dict[str, Any]) -> str:
    """A record in words, for a person: the verdict, every difference, and what was accepted."""
    lines = ["same" if record["same"] else "different"]
    lines[0] += (
        f": WER {record['wer']:.1%}, CER {record['cer']:.1%} (plain WER {record['plain_wer']:.1%}, "
        f"{record['words_expected']} words in the script, {record['words_heard']} heard)"
    )
    for op, expected, heard in record["alignment"]:
        if op == "sub":
            lines.append(f"  wrong     «{expected}» was heard as «{heard}»")
        elif op == "del":
            lines.append(f"  missing   «{expected}» was not heard")
        elif op == "ins":
            lines.append(f"  too much  «{heard}» is not in the script")
    lines += [f"  accepted  «{item['heard']}» for «{item['script']}» ({item['kind']})" for item in record["accepted"]]
    lines += [f"  sign      {item['text']}" for item in record["reasons"]]
    return "\n".join(lines)


# A table of pairs ----------------------------------------------------------------------------------------------------


def read_pairs(path: Path, locale: str) -> list[Pair]:
    """The pairs of a TSV file: columns ``id``, ``script``, ``heard`` and, if wanted, ``locale``; ``-`` is stdin.

    A row may leave ``locale`` empty (``nb-NO`` is ``nb``), and ``heard`` at its end. Raises ReplikkError when the file
    cannot be read or has no such header, DialogueError with all rows that cannot be used.
    """
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig") if str(path) == "-" else path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReplikkError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ReplikkError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    header = [cell.strip().lower() for cell in _cells(rows[0], 0)]
    if missing := [name for name in _COLUMNS if name not in header]:
        raise ReplikkError(
            f"{path}: the first row has no column '{missing[0]}'; write id, script and heard there, with tabs between"
        )
    if twice := [name for name in (*_COLUMNS, "locale") if header.count(name) > 1]:
        raise ReplikkError(f"{path}: the first row has the column '{twice[0]}' twice; rename one of them")
    pairs: list[Pair] = []
    problems: list[Problem] = []
    for number, row in _wrapped_rows(rows, len(header)):
        cells = _cells(row, len(header))
        named = dict(zip(header, cells, strict=False))
        row_locale = re.split("[-_]", named.get("locale", "").strip().lower())[0] or locale
        if len(cells) > len(header) or len(cells) < len(header) - 1 or "script" not in named:
            what = f"has {len(cells)} cells, the header {len(header)}"
            problems.append(Problem(str(path), number, named.get("id", ""), "", what, "put one tab between two cells"))
        elif row_locale not in ("", *_LOCALES):
            problems.append(
                Problem(
                    str(path), number, named["id"], "locale", f"is '{named['locale']}'", "use nb, nn, or leave it empty"
                )
            )
        else:
            pairs.append(Pair(named["id"], named["script"], named.get("heard", ""), row_locale))
    if problems:
        raise DialogueError(problems)
    return pairs


def _wrapped_rows(rows: Sequence[str], wanted: int) -> Iterator[tuple[int, str]]:
    """The rows after the header with their numbers; what a spreadsheet wrapped over several lines is one row."""
    at = 1
    while at < len(rows):
        row, number = rows[at], at + 1
        at += 1
        if '"' in row and row.count('"') % 2 and len(row.split("\t")) < wanted:
            last = next((stop for stop in range(at, len(rows)) if rows[stop].count('"') % 2), at)
            whole = "\n".join(rows[number - 1 : last + 1])
            if len(_cells(whole, wanted)) == wanted:
                row, at = whole, last + 1
        if row.strip():
            yield number, row


def _cells(row: str, wanted: int) -> list[str]:
    """The cells of one row. Quotes belong to the text unless they wrap a cell, as spreadsheet programs write them."""
    plain = row.split("\t")
    if '"' not in row:
        return plain
    try:
        quoted = next(csv.reader(io.StringIO(row), delimiter="\t", strict=True), [])
    except csv.Error:
        return plain
    return quoted if not wanted or len(quoted) == wanted else plain
