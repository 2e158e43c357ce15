"""``replikk review``: listen and decide in the browser. What it writes is ``dialogue/decisions.csv``, nothing else."""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import sys
import threading
import webbrowser

from replikk.config import Config
from replikk.errors import ReplikkError

log = logging.getLogger(__name__)


def review(config: Config, *, port: int = 0, open_browser: bool = True, who: str | None = None) -> str:
    """Serve the report until Ctrl-C; returns a closing sentence.

    ``port`` 0 is any free one; ``who`` signs the decisions where the page does not say who decides. Raises ReplikkError
    when there is no report yet, or the port is taken.
    """
    # Imported here: the other commands need no web server.
    from replikk.review.reviewed_build import ReviewedBuild
    from replikk.review.server import bind, make_app, serve

    if not config.dialogue_dir.is_dir():
        raise ReplikkError(f"{config.dialogue_dir}: there is no such folder; name yours with --dialogue-dir")
    build = ReviewedBuild(config)
    lines = len(build.report().lines)
    with bind(port) as listener:
        app = make_app(config, listener.getsockname()[1], _login() if who is None else who)
        print(f"{build.page}: {lines} lines; decisions go to {config.dialogue_dir / 'decisions.csv'}")
        print(f"open {app.address()}", flush=True)
        print("Ctrl-C ends it", file=sys.stderr)
        if open_browser:
            # In a thread: a browser of the terminal holds on until it is closed.
            threading.Thread(target=_open, args=(app.address_for_once(),), daemon=True).start()
        serve(app, listener)
    return "review has ended; the next build does what was decided"


def _open(address: str) -> None:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return  # no screen here: the printed address is for another machine's browser, through a tunnel
    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        log.info("no browser could be started; open the address by hand")


def _login() -> str:
    with contextlib.suppress(OSError, KeyError, ImportError):  # a user without a name, in a container
        return getpass.getuser()
    return ""
