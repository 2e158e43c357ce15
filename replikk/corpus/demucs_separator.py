"""The separator Demucs (MIT): keeps what it hears as voice. Its environment is ``envs/demucs.yaml``.

It works at 44.1 kHz in stereo, on stretches that it lays over one another; ``shifts=0``, because shifts are drawn at
random. The model is fetched by Demucs itself on first use and kept where the hub keeps its files; FOLDER/NAME is one
of a local repository of Demucs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.errors import ReplikkError, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def make_demucs(model: str, device: str) -> Callable[[NDArray[np.int16], int], NDArray[np.int16]]:
    """The separator, its model loaded. Raises ReplikkError when Demucs or the model is missing."""
    try:
        import torch
        from demucs.api import Separator  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise ReplikkError(
            f"separator demucs: {error.name} is not installed; make the environment envs/demucs.yaml and name its "
            "Python as corpus.separator_python, or write separator: none"
        ) from error
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        place = Path(model)
        own = place.parent if place.parent.is_dir() and place.parent != Path() else None
        separator: Any = Separator(model=place.name if own else model, repo=own, device=chosen, shifts=0)
    except Exception as error:  # Demucs has errors of its own, and passes on those of the hub
        raise ReplikkError(
            f"separator demucs: the model '{printable(model, 60)}' cannot be loaded ({printable(str(error), 160)}); "
            "connect to the network once, or name a model that is here (corpus.separator_model)"
        ) from error

    def separate(samples: NDArray[np.int16], sample_rate_hz: int) -> NDArray[np.int16]:
        import numpy as np

        from replikk.audio.resample import resample

        wave = torch.from_numpy(samples.astype(np.float32) / 32768)[None].repeat(2, 1)  # [2, samples]
        _, stems = separator.separate_tensor(wave, sample_rate_hz)
        voice = stems["vocals"].mean(dim=0).cpu().numpy().astype(np.float32)
        back = resample(voice, int(separator.samplerate), sample_rate_hz)[: len(samples)]
        back = np.pad(back, (0, len(samples) - len(back)))
        return np.clip(np.rint(back * 32768), -32768, 32767).astype(np.int16)

    return separate
