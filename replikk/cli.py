"""The command ``replikk``: small questions beside the build. Building is always Snakemake's work."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from replikk import __version__
from replikk.config import Config, load_config
from replikk.errors import ReplikkError
from replikk.files import unusable

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
        print(options.run(load_config(Path(options.config), overrides), options))
    except ReplikkError as error:
        print(error, file=sys.stderr)
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
    return parser


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
    from replikk.commands.judge import judge_clip

    found = judge_clip(config, options.clip, options.text, locale=options.locale, engine=options.engine)
    return json.dumps(found, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    sys.exit(main())
