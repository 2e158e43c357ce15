"""Mending Ogg files: the same audio is the same bytes, and the tags are ours.

Design: libsndfile draws a random stream serial for every file and writes its own few tags. The encoded packets
themselves are reproducible, so the container is mended afterwards: every page gets a serial made from the caller's
key, the comment packet is replaced, the header pages are laid out anew, all pages are numbered and their checksums
computed again. Audio pages are otherwise untouched, granule positions included, so the sample-exact length stays.

Formats: RFC 3533 (Ogg), the Vorbis I specification sections 4 and 5 (header and comment packets), RFC 7845 (Opus in
Ogg).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from replikk.errors import AudioError

_HEADER = struct.Struct("<4sBBqIIIB")  # capture, version, flags, granule, serial, sequence, checksum, segments
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_NO_PACKET_ENDS = -1  # granule position of a page on which no packet ends
_CHECKSUM_AT = 22

MAX_TAG_CHARACTERS = 4000
"""Longer values are cut: tags are labels; the manifest holds the whole text."""

# Ogg's checksum is CRC-32 with polynomial 0x04c11db7, most significant bit first, starting from 0. zlib computes the
# same polynomial least significant bit first: with the bits of every byte reversed on the way in, and of the result
# on the way out, it is the same sum, at zlib's speed.
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Page:
    flags: int
    granule: int
    lacing: bytes
    """Lengths of the segments; a packet ends where one is below 255."""
    body: bytes


def checksum(page: bytes) -> int:
    """Ogg's CRC of a whole page whose checksum field is zero."""
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED_BITS), "big")


def read_pages(data: bytes) -> Iterator[Page]:
    """The pages of an Ogg file of one stream, checksums verified. Raises AudioError when the file is damaged."""
    at = 0
    while at < len(data):
        if data[at : at + 4] != b"OggS" or at + _HEADER.size > len(data):
            raise AudioError(f"Ogg data is damaged at byte {at}: no page begins there; encode the clip again")
        _, _, flags, granule, _, _, stored, segments = _HEADER.unpack_from(data, at)
        lacing = data[at + _HEADER.size : at + _HEADER.size + segments]
        end = at + _HEADER.size + segments + sum(lacing)
        if len(lacing) < segments or end > len(data):
            raise AudioError(f"Ogg data ends inside the page at byte {at}; encode the clip again")
        page = data[at:end]
        if checksum(page[:_CHECKSUM_AT] + b"\0\0\0\0" + page[_CHECKSUM_AT + 4 :]) != stored:
            raise AudioError(f"Ogg page at byte {at} has a wrong checksum; encode the clip again")
        yield Page(flags, granule, lacing, page[_HEADER.size + segments :])
        at = end


def _page_bytes(page: Page, serial: int, sequence: int) -> bytes:
    head = _HEADER.pack(b"OggS", 0, page.flags, page.granule, serial, sequence, 0, len(page.lacing))
    raw = bytearray(head + page.lacing + page.body)
    struct.pack_into("<I", raw, _CHECKSUM_AT, checksum(bytes(raw)))
    return bytes(raw)


def _lay_out(packets: list[bytes]) -> Iterator[Page]:
    """Header packets on as few pages as possible, beginning and ending on page boundaries."""
    lacing = bytearray()
    for packet in packets:
        full, rest = divmod(len(packet), 255)
        lacing += b"\xff" * full + bytes([rest])  # a length divisible by 255 ends with a segment of 0
    body = b"".join(packets)
    at = 0
    continued = False
    for start in range(0, len(lacing), 255):
        part = bytes(lacing[start : start + 255])
        end = at + sum(part)
        packet_ends = any(length < 255 for length in part)
        yield Page(_CONTINUED if continued else 0, 0 if packet_ends else _NO_PACKET_ENDS, part, body[at:end])
        at, continued = end, part[-1] == 255


def _split_headers(data: bytes) -> tuple[Page, list[bytes], list[Page], bytes]:
    """First page, the header packets after it (comment first), the audio pages, and the comment packet's magic."""
    pages = list(read_pages(data))
    if not pages or not pages[0].flags & _FIRST:
        raise AudioError("Ogg data has no beginning of a stream; encode the clip again")
    if pages[0].body.startswith(b"\x01vorbis"):
        wanted, magic = 2, b"\x03vorbis"  # comment and setup
    elif pages[0].body.startswith(b"OpusHead"):
        wanted, magic = 1, b"OpusTags"
    else:
        raise AudioError("Ogg data holds neither Vorbis nor Opus; encode the clip as one of them")
    packets, packet = [], b""
    for index, page in enumerate(pages[1:], start=1):
        at = 0
        for length in page.lacing:
            packet += page.body[at : at + length]
            at += length
            if length < 255:
                packets.append(packet)
                packet = b""
        if len(packets) >= wanted:
            # Both formats demand that audio begins on a new page.
            if len(packets) > wanted or packet or not packets[0].startswith(magic):
                raise AudioError("Ogg data has headers in an unknown order; encode the clip again")
            return pages[0], packets, pages[index + 1 :], magic
    raise AudioError("Ogg data ends inside its headers; encode the clip again")


def clean_tag(value: str) -> str:
    """A tag's value as it can be stored: no control characters, no broken Unicode, of bounded length."""
    text = "".join(" " if ord(c) < 32 or ord(c) == 127 else c for c in value)
    text = text.encode("utf-8", "replace").decode("utf-8").strip()
    return text if len(text) <= MAX_TAG_CHARACTERS else text[: MAX_TAG_CHARACTERS - 1] + "…"


def _comment_packet(magic: bytes, vendor: bytes, tags: Mapping[str, str]) -> bytes:
    fields = []
    for name, value in tags.items():
        if not name or any(not " " <= c <= "}" or c == "=" for c in name):
            raise AudioError(f"tag name {name!r} cannot be stored in Ogg; use ASCII letters, digits and _")
        fields.append(f"{name.upper()}={clean_tag(value)}".encode())
    packet = magic + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(fields))
    packet += b"".join(struct.pack("<I", len(field)) + field for field in fields)
    return packet + (b"\x01" if magic == b"\x03vorbis" else b"")  # Vorbis closes with a framing bit


def _parse_comments(packet: bytes, magic: bytes) -> tuple[bytes, list[bytes]]:
    def take(at: int) -> tuple[bytes, int]:
        if at + 4 > len(packet):
            raise AudioError("Ogg comment header is cut short; encode the clip again")
        (length,) = struct.unpack_from("<I", packet, at)
        if at + 4 + length > len(packet):
            raise AudioError("Ogg comment header is cut short; encode the clip again")
        return packet[at + 4 : at + 4 + length], at + 4 + length

    vendor, at = take(len(magic))
    if at + 4 > len(packet):
        raise AudioError("Ogg comment header is cut short; encode the clip again")
    (count,) = struct.unpack_from("<I", packet, at)
    at += 4
    fields = []
    for _ in range(count):
        field, at = take(at)
        fields.append(field)
    return vendor, fields


def serial_number(key: str) -> int:
    """The stream serial made from a key: 32 bits of its SHA-256."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "replace")).digest()[:4], "little")


def mend(data: bytes, *, serial_from: str, tags: Mapping[str, str]) -> bytes:
    """The same Vorbis or Opus audio with a serial made from ``serial_from`` and with exactly these tags.

    The encoder's vendor string is kept. Raises AudioError for damaged data or a tag name Ogg cannot hold.
    """
    first, headers, audio, magic = _split_headers(data)
    vendor, _ = _parse_comments(headers[0], magic)
    headers[0] = _comment_packet(magic, vendor, tags)
    serial = serial_number(serial_from)
    pages = [first, *_lay_out(headers), *audio]
    return b"".join(_page_bytes(page, serial, sequence) for sequence, page in enumerate(pages))


def read_tags(data: bytes) -> dict[str, str]:
    """The tags of an Ogg Vorbis or Opus file, names in capitals. Raises AudioError for anything else."""
    _, headers, _, magic = _split_headers(data)
    _, fields = _parse_comments(headers[0], magic)
    pairs = (field.decode("utf-8", "replace").partition("=") for field in fields)
    return {name.upper(): value for name, _, value in pairs}


def vendor_string(data: bytes) -> str:
    """The name and version of the library that encoded an Ogg file."""
    _, headers, _, magic = _split_headers(data)
    return _parse_comments(headers[0], magic)[0].decode("utf-8", "replace")
