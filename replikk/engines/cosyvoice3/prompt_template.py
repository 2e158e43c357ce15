"""The one prompt template: what the language model reads before and beside the text it has to speak.

The published model knows these sequences (``^`` is the token ``<|endofprompt|>``; the flow gets the reference's tokens,
mel and speaker embedding in both):

    zero-shot   You are a helpful assistant.^TRANSCRIPT                  + text, continues the reference's speech tokens
    instruct    You are a helpful assistant. DIRECTION^                  + text, starts without speech tokens

A line without a direction is spoken zero-shot: the model carries on after the reference, in its manner. A line with one
is spoken after the direction alone, because the reference's own manner would speak against it; its timbre still
comes from the flow. What people wrote (text, transcript, direction) cannot bring the token ``^`` in by itself.

A change here changes every take: raise ``versions.PROMPT_TEMPLATE``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from replikk.engines.cosyvoice3.tokenizer import END_OF_PROMPT, TextTokenizer, without_control_tokens

Mode = Literal["zero_shot", "instruct"]

_SYSTEM = "You are a helpful assistant."

LONGEST_DIRECTION = 120
"""Characters. Long directions get spoken aloud (reports about the published model); a sentence is enough."""


@dataclass(frozen=True)
class PromptIds:
    """The text part of the language model's input: ``[sos] prompt text [task] (reference tokens)``."""

    mode: Mode
    prompt: list[int]
    """System sentence, direction and ``<|endofprompt|>``; in zero-shot the reference's transcript after it."""
    text: list[int]
    """What is to be spoken. The limits of the length count these ids alone."""
    continues_reference: bool
    """Whether the reference's speech tokens come after the text."""


def mode_for(style: str) -> Mode:
    """``instruct`` for a line with a direction, ``zero_shot`` without."""
    return "instruct" if direction(style) else "zero_shot"


def direction(style: str) -> str:
    """A direction as one plain sentence: ``si dette stille`` becomes ``Si dette stille.``; empty when there is none."""
    plain = " ".join(without_control_tokens(unicodedata.normalize("NFC", style)).split())
    if not any(character.isalnum() for character in plain):
        return ""
    plain = plain[0].upper() + plain[1:]
    return plain if plain[-1] in ".!?…。" else plain.rstrip(",;:–—-") + "."


def prompt_text(style: str, transcript: str) -> str:
    """The prompt as text, for people to read; ``prompt_ids`` is what the model gets."""
    wanted = direction(style)
    if wanted:
        return f"{_SYSTEM} {wanted}{END_OF_PROMPT}"
    return f"{_SYSTEM}{END_OF_PROMPT}{_one_line(transcript)}"


def prompt_ids(tokenizer: TextTokenizer, text: str, style: str, transcript: str) -> PromptIds:
    """The ids for one piece of text, spoken in ``style`` by a voice whose reference says ``transcript``.

    Prompt and text are encoded on their own, so that no merge reaches across; that is what the model was trained on.
    """
    mode = mode_for(style)
    return PromptIds(
        mode=mode,
        prompt=tokenizer.encode(prompt_text(style, transcript)),
        text=tokenizer.encode_speech(text),
        continues_reference=mode == "zero_shot",
    )


def direction_remarks(style: str) -> list[str]:
    """What a writer may want to know about a direction; spoken all the same."""
    length = len(direction(style))
    if length > LONGEST_DIRECTION:
        return [
            f"the direction has {length} characters; shorten it to {LONGEST_DIRECTION}, "
            "because the voice may read long directions aloud"
        ]
    return []


def _one_line(text: str) -> str:
    return " ".join(without_control_tokens(unicodedata.normalize("NFC", text)).split())
