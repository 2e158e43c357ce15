"""Text that comes in while speech goes out: the order in which the language model reads and speaks then.

The build never needs it (a game's lines are complete); it is here because LoRAs are trained on it half of the time,
and these sequences show whether a model still knows them. One line at a time, one position a step; how a token is
chosen is the caller's.

    start, instruction up to <|endofprompt|>,
    groups of 5 text and 15 speech tokens: from the reference while it lasts, then spoken and ended by a fill token,
    the text that is left, task, and speech until the end.

As published: reference speech that has no text to go with when the text ends is dropped; without reference speech the
first 15 tokens are spoken before any text is read; and if the text ends while the model waits for more of it, the last
speech token is read a second time (only the golden vectors show that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.key_value_cache import KeyValueCache
from replikk.engines.cosyvoice3.language_model import LanguageModel, Part
from replikk.engines.cosyvoice3.training_sequences import SPEECH_PER_GROUP, TEXT_PER_GROUP
from replikk.errors import EngineError

Choose = Callable[[Tensor, Sequence[int], bool], int]
"""(log-probabilities [ids], tokens so far with fills, whether the line may not end) -> id."""

MOST_TOKENS = 1500
"""One minute: the published loop has no limit, and a model that never ends would never return."""


class _Reader:
    """One line that is read position by position."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.position = 0
        self.cache = KeyValueCache(model.sizes, 1, 1, model.dtype, model.device)

    @torch.inference_mode()
    def read(self, parts: Sequence[Part]) -> Tensor:
        """Reads ids; log-probabilities [ids] of what comes after the last one."""
        hidden = torch.empty(0)
        for row in self.model.embed(parts):
            self.cache.grow(self.position + 1)
            positions = torch.tensor([self.position], device=self.model.device)
            hidden = self.model.step(row[None], positions, self.cache)
            self.position += 1
        return self.model.log_probs(hidden)[0]


def speak_while_reading(
    model: LanguageModel,
    prompt_text: Sequence[int],
    prompt_speech: Sequence[int],
    text: Iterable[Sequence[int]],
    end_of_prompt_id: int,
    choose: Choose,
) -> Iterator[int]:
    """Speech tokens of a text that comes in pieces; fill tokens are neither read nor given out.

    Raises EngineError if the prompt text lacks its end mark, if the model says a stop id where none may stand, or
    if it has not ended after a minute.
    """
    sizes = model.sizes
    if end_of_prompt_id not in prompt_text:
        raise EngineError(f"prompt text: it lacks <|endofprompt|> (id {end_of_prompt_id}); build it with the template")
    cut = list(prompt_text).index(end_of_prompt_id) + 1
    unread: list[Part] = [("speech", [sizes.start_id]), ("text", prompt_text[:cut])]
    waiting_text, waiting_speech = list(prompt_text[cut:]), list(prompt_speech)
    # The first fill completes the group that the reference leaves unfinished.
    next_fill = SPEECH_PER_GROUP - len(waiting_speech) % SPEECH_PER_GROUP
    reader, said, wants_text = _Reader(model), list[int](), False
    for piece in text:
        waiting_text += piece
        while waiting_speech and len(waiting_text) >= TEXT_PER_GROUP:
            unread += [("text", waiting_text[:TEXT_PER_GROUP]), ("speech", waiting_speech[:SPEECH_PER_GROUP])]
            del waiting_text[:TEXT_PER_GROUP], waiting_speech[:SPEECH_PER_GROUP]
        if waiting_speech:
            continue
        if wants_text:
            if len(waiting_text) < TEXT_PER_GROUP:
                continue
            unread = [("text", waiting_text[:TEXT_PER_GROUP])]
            del waiting_text[:TEXT_PER_GROUP]
        wants_text = False
        while not wants_text:
            log_probs = reader.read(unread)
            token = sizes.fill_id if len(said) == next_fill else choose(log_probs, said, True)
            said.append(token)
            if token == sizes.fill_id:
                next_fill, wants_text = len(said) + SPEECH_PER_GROUP, True
            elif token >= sizes.speech_vocabulary:
                raise EngineError(
                    f"text stream: the model said stop id {token} between text and text; use another model"
                )
            else:
                unread = [("speech", [token])]
                yield token
    unread += [("text", waiting_text), ("speech", [sizes.task_id])]
    for _ in range(MOST_TOKENS):
        token = choose(reader.read([part for part in unread if len(part[1])]), said, False)
        said.append(token)
        if token == sizes.end_id:
            return
        if token >= sizes.speech_vocabulary:
            raise EngineError(f"text stream: the model said stop id {token}, which is not its end; use another model")
        unread = [("speech", [token])]
        yield token
    raise EngineError(f"text stream: no end after {MOST_TOKENS} tokens; use another seed or another model")
