"""Opens the report in a browser and remembers everything that goes wrong there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

HARMLESS = ("Autofocus processing was blocked",)


class Pilot:
    """Pages of one test. ``complaints`` holds errors, refused loads, dialogs, and requests that left the machine."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.complaints: list[str] = []

    def open(self, where: Path | str, *, script: bool = True, expect: tuple[str, ...] = (), **settings: Any) -> Any:
        """A new page. ``where`` is a file or an address; ``settings`` as for Playwright's contexts."""
        context = self._browser.new_context(
            viewport=settings.pop("viewport", {"width": 1280, "height": 860}), java_script_enabled=script, **settings
        )
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        page = context.new_page()

        def hear(message: Any) -> None:
            address = message.location.get("url", "")
            # Browsers ask the site for an icon while the address with the token moves on to the page.
            if message.type in ("error", "warning") and not address.endswith("/favicon.ico"):
                complain(f"{message.text} {address}")

        def complain(text: str) -> None:
            if not text.startswith((*HARMLESS, *expect)):
                self.complaints.append(text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complain(f"error: {error}"))
        page.on("dialog", lambda dialog: (complain(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: complain(f"left: {request.url}") if _leaves(request.url) else None)
        page.goto(where if isinstance(where, str) else where.resolve().as_uri())
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def _leaves(address: str) -> bool:
    return not address.startswith(("file:", "http://127.0.0.1:", "data:", "blob:"))


def line_on_desk(page: Any) -> str:
    return str(page.locator("#desk-title").inner_text())


def listed(page: Any) -> list[str]:
    """Ids of the rows that are drawn, from top to bottom."""
    return list(
        page.evaluate(
            "[...document.querySelectorAll('.list > li')]"
            ".sort((a, b) => a.getAttribute('aria-posinset') - b.getAttribute('aria-posinset'))"
            ".map(row => row.querySelector('code').textContent)"
        )
    )


def player_time(page: Any) -> float:
    return float(page.evaluate("replikkPlayer.state().time_s"))


def is_playing(page: Any) -> bool:
    return bool(page.evaluate("replikkPlayer.state().playing"))


def decisions(page: Any) -> list[dict[str, Any]]:
    """What the page knows to be decided, oldest first."""
    return list(page.evaluate("replikkDeciding.rows()"))


def until(page: Any, expression: str, timeout_s: float = 10.0) -> None:
    """Wait until an expression is true. Playwright's own wait needs an eval in the page, which its policy forbids."""
    end = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never came true: {expression}"
        page.wait_for_timeout(30)
