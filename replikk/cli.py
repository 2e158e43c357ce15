"""The command ``replikk``: small questions beside the build. Building is always Snakemake's work."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from replikk import __version__
from replikk.config import Config, load_config, read_config
from replikk.errors import ReplikkError
from replikk.files import unusable
from replikk.written_settings import Place, name_places

if TYPE_CHECKING:
    from replikk.commands.model import ChosenModels

EXIT_BAD_INPUT = 1
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        overrides = {
            name: value
            for name, value in (("dialogue_dir", options.dialogue_dir), ("build_dir", options.build_dir))
            if value is not None
        }
        print(options.run(_config(options, overrides), options))
    except ReplikkError as error:
        print(name_places(str(error), _places(options)), file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # | head
        sys.stderr.close()
    except OSError as error:
        print(unusable(error), file=sys.stderr)
        return EXIT_BAD_INPUT
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="replikk", description="Questions about the voice build of a game.")
    parser.add_argument("--version", action="version", version=f"replikk {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    status = _command(commands, "status", "what the next build will do", _status)
    status.add_argument("--why", metavar="ID", help="say exactly what changed in a line")
    status.add_argument("--json", action="store_true", help="all ids, as JSON")

    prune = _command(commands, "prune", "what the store holds that nothing needs; shows only, unless --delete", _prune)
    mode = prune.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="only show (this is the default)")
    mode.add_argument("--delete", action="store_true", help="delete it")

    say = _command(commands, "say", "hear a line without a sheet", _say)
    say.add_argument("text")
    say.add_argument("--voice", required=True, help="a voice or character of voices.yaml")
    say.add_argument("--style", default="", help="direction, as in the sheet")
    say.add_argument("--locale", default="nb", choices=("nb", "nn"))
    say.add_argument("--reading", type=int, default=0, metavar="N", help="another reading of the same text")
    say.add_argument("--out", required=True, type=Path, metavar="FILE")

    judge = _command(commands, "judge", "what the judge hears in a clip, as JSON", _judge)
    judge.add_argument("clip", type=Path)
    judge.add_argument("--text", required=True, help="what the clip should say")
    judge.add_argument("--locale", default="nb", choices=("nb", "nn"))
    judge.add_argument("--engine", default="", help="which engine made the clip, when its tags do not say")

    review = _command(commands, "review", "listen and decide in the browser; writes decisions.csv", _review)
    review.add_argument("--port", type=int, default=0, metavar="N", help="of the address; any free one by default")
    review.add_argument("--no-open", action="store_true", help="only print the address, do not start a browser")
    review.add_argument("--who", metavar="NAME", help="who decides, where the page does not say; your login by default")

    compare = _command(commands, "compare", "whether a text that was heard is the script, and why not", _compare)
    compare.add_argument("script", nargs="?", help="what the line says")
    compare.add_argument("heard", nargs="?", help="what a judge wrote")
    compare.add_argument("--locale", default="", choices=("nb", "nn"), help="without it a line may be in either")
    compare.add_argument(
        "--tsv", type=Path, metavar="FILE", help="many pairs: a table with id, script and heard; - is stdin"
    )
    compare.add_argument(
        "--cast", action="append", default=[], metavar="NAME", help="a name that any spelling is right for"
    )
    compare.add_argument("--lexicon", type=Path, metavar="FILE", help="instead of the project's")
    compare.set_defaults(without_config=True)
    _add_model_commands(commands)
    return parser


def _places(options: argparse.Namespace) -> list[Place]:
    """Where the settings of this command were written, the topmost last."""
    given = [("dialogue_dir", options.dialogue_dir), ("build_dir", options.build_dir)]
    return [
        Place(options.config),
        *[Place(f"--{key.replace('_', '-')}", {key: value}) for key, value in given if value is not None],
    ]


def _config(options: argparse.Namespace, overrides: dict[str, str]) -> Config | None:
    """The project's settings; none for a question that needs no project, asked where there is none."""
    path = Path(options.config)
    if options.config == "config.yaml" and not path.is_file():
        if getattr(options, "without_config", False):
            return None
        # As the build does it: in the folder of a game that has no settings of its own, those of the checkout hold.
        of_checkout = Path(__file__).parent.parent / "config.yaml"
        if of_checkout.is_file() and Path(overrides.get("dialogue_dir", "dialogue")).is_dir():
            path = of_checkout
    return load_config(path, overrides)


def _add_model_commands(commands: argparse._SubParsersAction) -> None:
    text = "the real voice's models: check, convert, factor, export"
    model = commands.add_parser("model", help=text, description=text[0].upper() + text[1:] + ".")
    kinds = model.add_subparsers(required=True, metavar="COMMAND")
    check = _command(kinds, "check", "open base model and adapter, and describe or refuse them", _model_check)
    convert = _command(kinds, "convert", "write the base model as one folder of safetensors", _model_convert)
    convert.add_argument("target", type=Path, metavar="TARGET")
    factor = _command(kinds, "factor", "take a merged file apart into a LoRA, and say whether it is one", _model_factor)
    factor.add_argument("merged_file", type=Path, metavar="MERGED_FILE")
    factor.add_argument("--rank", type=int, default=24, metavar="N", help="24 by default, as the Norwegian one has")
    factor.add_argument("--out", type=Path, metavar="FOLDER", help="of the adapter to write; without it, only look")
    export = _command(kinds, "export", "write base and adapter as one llm.pt for other programs", _model_export)
    export.add_argument("out", type=Path, metavar="OUT_FILE")
    for command in (check, convert, factor, export):
        command.add_argument("--base", type=Path, metavar="FOLDER", help="instead of the one in the config")
        command.add_argument("--language-model", choices=("llm.pt", "llm.rl.pt"), help="instead of the config's")
        command.set_defaults(without_config=True)
    for command in (check, export):
        command.add_argument("--adapter", metavar="PATH", help="instead of the one in the config; none for none")
        command.add_argument("--strength", type=float, metavar="X", help="of the adapter, instead of the config's")
    for command in (convert, factor, export):
        command.add_argument("--force", action="store_true", help="replace what such a command wrote before")


def _command(commands: argparse._SubParsersAction, name: str, text: str, run: object) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.add_argument("--config", default="config.yaml", metavar="FILE")
    command.add_argument("--dialogue-dir", metavar="FOLDER", help="instead of the one in the config")
    command.add_argument("--build-dir", metavar="FOLDER", help="instead of the one in the config")
    command.set_defaults(run=run)
    return command


def _status(config: Config, options: argparse.Namespace) -> str:
    from replikk.commands.status import show_status

    return show_status(config, why=options.why, as_json=options.json)


def _prune(config: Config, options: argparse.Namespace) -> str:
    from replikk.commands.prune import prune

    found = prune(config, remove=options.delete)
    what = (
        f"{len(found.takes)} takes, {len(found.clips)} clips and {len(found.leftovers)} half-written files "
        f"that nothing needs"
    )
    if not (found.takes or found.clips or found.leftovers):
        return "the store holds nothing that could go"
    if options.delete:
        return f"deleted {what}"
    return f"{what} ({found.size_bytes / 1e6:.1f} MB); the same command with --delete removes them"


def _say(config: Config, options: argparse.Namespace) -> str:
    from replikk.commands.say import say

    said = say(
        config, options.text, options.voice, options.out,
        style=options.style, locale=options.locale, reading=options.reading,
    )  # fmt: skip
    return f"{said.path}: {said.delivered.duration_s:.2f} s, spoken: {said.spoken}"


def _judge(config: Config, options: argparse.Namespace) -> str:
    from replikk.commands.judge import explain, judge_clip

    found = judge_clip(config, options.clip, options.text, locale=options.locale, engine=options.engine)
    print(explain(found), file=sys.stderr)  # for the person; stdout is for programs
    return json.dumps(found, ensure_ascii=False, indent=1)


def _review(config: Config, options: argparse.Namespace) -> str:
    from replikk.commands.review import review

    return review(config, port=options.port, open_browser=not options.no_open, who=options.who)


def _compare(config: Config | None, options: argparse.Namespace) -> str:
    import orjson

    from replikk.commands.compare import Pair, compare_pairs, explain, known_words, read_pairs

    known = known_words(config, options.lexicon, options.cast)
    if options.tsv is not None:
        if options.script is not None:
            raise ReplikkError("compare: both a pair and --tsv; give one of them")
        records = compare_pairs(read_pairs(options.tsv, options.locale), known)
    elif options.script is None or options.heard is None:
        raise ReplikkError("compare: there is nothing to compare; give SCRIPT and HEARD, or --tsv FILE")
    else:
        records = compare_pairs([Pair("", options.script, options.heard, options.locale)], known)
        print(explain(records[0]), file=sys.stderr)  # for the person; stdout is the same with one pair and with many
    return "\n".join(orjson.dumps(record).decode() for record in records)


def _model_check(config: Config | None, options: argparse.Namespace) -> str:
    from replikk.commands.model_check import check_models

    return check_models(config or read_config({}), _chosen_models(config, options))


def _model_convert(config: Config | None, options: argparse.Namespace) -> str:
    from replikk.commands.model import convert

    return convert(config or read_config({}), _chosen_models(config, options), options.target, force=options.force)


def _model_factor(config: Config | None, options: argparse.Namespace) -> str:
    from replikk.commands.model import factor

    chosen = _chosen_models(config, options)
    return factor(chosen, options.merged_file, options.rank, options.out, force=options.force)


def _model_export(config: Config | None, options: argparse.Namespace) -> str:
    from replikk.commands.model import export

    return export(_chosen_models(config, options), options.out, force=options.force)


def _chosen_models(config: Config | None, options: argparse.Namespace) -> ChosenModels:
    from replikk.commands.model import choose_models

    return choose_models(
        config or read_config({}),
        base=options.base,
        adapter=getattr(options, "adapter", None),
        strength=getattr(options, "strength", None),
        language_model=options.language_model,
    )


if __name__ == "__main__":
    sys.exit(main())
