"""Names of licences, as far as a build must understand them: is it a name at all, and does it allow commercial use.

SPDX names that are usual for recordings, models and data, ``own`` (we made it) and ``proprietary`` (somebody let us)
are known; any other licence goes by SPDX's own way out, ``LicenseRef-name``. Expressions with AND, OR, WITH and
parentheses are understood.
"""

from __future__ import annotations

import re

from replikk.dialogue.nearest import nearest
from replikk.errors import printable

_CREATIVE_COMMONS = [
    f"CC-{terms}-{version}"
    for terms in ("BY", "BY-SA", "BY-ND", "BY-NC", "BY-NC-SA", "BY-NC-ND")
    for version in ("1.0", "2.0", "2.5", "3.0", "4.0")
]
_OTHERS = (
    "CC0-1.0 PDDL-1.0 ODbL-1.0 ODC-By-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 NLOD-1.0 NLOD-2.0 "
    "Apache-2.0 MIT MIT-0 0BSD BSD-2-Clause BSD-3-Clause ISC Zlib Unlicense WTFPL BSL-1.0 MPL-2.0 OFL-1.1 Artistic-2.0 "
    "GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only "
    "LGPL-3.0-or-later AGPL-3.0-only AGPL-3.0-or-later EUPL-1.2 PolyForm-Noncommercial-1.0.0 own proprietary"
)
KNOWN = (*_CREATIVE_COMMONS, *_OTHERS.split())

_FOLDED = frozenset(name.casefold() for name in KNOWN)
_NON_COMMERCIAL = re.compile(r"(?<![a-z])nc(?![a-z])|non-?commercial|ikk[je]+-?kommersiel", re.IGNORECASE)
_OPERATORS = frozenset(("and", "or", "with"))


def _names(licence: str) -> list[str]:
    return [part for part in licence.replace("(", " ").replace(")", " ").split() if part.casefold() not in _OPERATORS]


def licence_problem(licence: str) -> tuple[str, str] | None:
    """(what is wrong, what to write instead) when this is no name of a licence."""
    for name in _names(licence) or [licence]:
        if name.casefold() in _FOLDED or re.fullmatch(
            r"LicenseRef-[A-Za-z0-9.-]+|[\w.-]+-exception(?:-[\d.]+)?", name, re.I
        ):
            continue
        close = nearest("-".join(_names(licence)), KNOWN) or nearest(name, KNOWN)
        hint = f"did you mean '{close}'? Otherwise " if close else ""
        return (
            f"'{printable(licence, 60)}' is no known name of a licence",
            f"{hint}write its SPDX name (CC0-1.0, CC-BY-4.0, …), own, proprietary, or LicenseRef-name",
        )
    return None


def non_commercial(licence: str) -> bool:
    """Whether a licence forbids commercial use; of several joined by OR, whether all do."""
    choices = re.split(r"\s+OR\s+", licence.strip("() "), flags=re.IGNORECASE)
    return all(_NON_COMMERCIAL.search(choice) for choice in choices)
