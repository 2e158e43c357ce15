"""Binding of the eSpeak NG library: initialise, choose a voice, speak into memory.

The library (GPL-3) comes with the wheel ``espeakng-loader`` and is loaded at run time, through ctypes. It keeps state
from one clip to the next and is not thread-safe, so nothing here is called from the build's own process: the small
voice process (``espeak_process.py``) loads it once and forks one child per clip. That process is started without
site-packages; this module therefore uses the standard library alone.

Constants are those of ``speak_lib.h`` and ``espeak_ng.h``.
"""

from __future__ import annotations

import ctypes

_OUTPUT_SYNCHRONOUS = 2
"""AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback, and the call returns when all are made."""
_INITIALIZE_DONT_EXIT = 0x8000
"""espeakINITIALIZE_DONT_EXIT: missing data is an error value, not an exit of the process."""
_BUFFER_MS = 0
"""0 is the library's own choice (60 ms per callback)."""
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
"""espeakCHARS_UTF8 and nothing else: neither SSML (0x10) nor phoneme input (0x100) is ever on for a user's text."""
_LANGUAGE = "nb"
_RATE, _VOLUME, _PITCH, _RANGE, _WORD_GAP = 1, 2, 3, 4, 7

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class LibraryError(Exception):
    """The library refused a call; the message says which."""


class Library:
    """The initialised library. One per process; not thread-safe."""

    def __init__(self, library_path: str, data_path: str) -> None:
        """Load and initialise. Raises LibraryError when the library or its data cannot be loaded."""
        try:
            self._c = ctypes.CDLL(library_path)
        except OSError as error:
            raise LibraryError(f"the library cannot be loaded ({error})") from error
        self._c.espeak_Info.restype = ctypes.c_char_p
        self._c.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self._c.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
        self._c.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        self._c.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
        self._c.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self.sample_rate_hz: int = self._c.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, _BUFFER_MS, data_path.encode(), _INITIALIZE_DONT_EXIT
        )
        if self.sample_rate_hz <= 0:
            raise LibraryError(f"the library found no voice data in {data_path}")
        # The library reads some 250 voice files when the first voice is chosen; done here, no child needs to.
        if self._c.espeak_SetVoiceByName(_LANGUAGE.encode()) != 0:
            raise LibraryError(f"the library has no voice '{_LANGUAGE}' in {data_path}")
        self._pieces: list[bytes] = []
        # Kept as an attribute: ctypes does not hold a callback alive, the library would call freed memory.
        self._callback = _Callback(self._collect)
        self._c.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if count > 0 and samples:
            self._pieces.append(ctypes.string_at(samples, 2 * count))
        return 0  # 0: go on

    def version(self) -> str:
        """The library's own version, such as ``1.52.0``."""
        text: bytes = self._c.espeak_Info(None)
        return text.decode("ascii", "replace")

    def prepare(
        self, *, voice: str, seed: int, rate_wpm: int, volume: int, pitch: int, pitch_range: int, word_gap: int
    ) -> None:
        """Set everything that a clip depends on. ``word_gap`` is in units of 10 ms. Raises LibraryError."""
        self._c.espeak_ng_SetRandSeed(seed)
        if self._c.espeak_SetVoiceByName(voice.encode()) != 0:
            raise LibraryError(f"the library has no voice '{voice}'")
        # The voice first: choosing one resets the parameters.
        values = ((_RATE, rate_wpm), (_VOLUME, volume), (_PITCH, pitch), (_RANGE, pitch_range), (_WORD_GAP, word_gap))
        for parameter, value in values:
            if self._c.espeak_SetParameter(parameter, value, 0) != 0:
                raise LibraryError(f"the library refused parameter {parameter} = {value}")

    def speak(self, text: bytes) -> bytes:
        """Speech as little-endian int16 PCM at ``sample_rate_hz``, mono. ``text`` is UTF-8 without NUL."""
        self._pieces = []
        status = self._c.espeak_Synth(text, len(text) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        if status != 0:
            raise LibraryError(f"the library could not speak (error {status})")
        return b"".join(self._pieces)
