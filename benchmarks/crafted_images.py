"""Image files that were changed at random, or claim more than they hold."""

from __future__ import annotations

import functools
import io
import struct
import zlib

import numpy as np
from PIL import Image, features

from tests.data.pictures import png16, tiff

_SIDES = (0, 1, 3, 2**16 - 1, 2**16, 60_000, 89_478_485, 2**31 - 1, 2**32 - 1)
CONTENTS = (0, 10**6, 5 * 10**7, 36 * 10**7)  # bytes behind what is compressed
_WRITTEN = {
    "PNG": [("RGB", {}), ("RGBA", {}), ("P", {}), ("LA", {}), ("1", {})],
    "JPEG": [("RGB", {}), ("L", {"progressive": True}), ("CMYK", {})],
    "GIF": [("P", {"save_all": True})],
    "WEBP": [("RGB", {}), ("RGBA", {"lossless": True})],
    "BMP": [("RGB", {})],
    "PPM": [("RGB", {})],
    "TIFF": [("RGB", {}), ("L", {"compression": "tiff_lzw"}), ("RGB", {"compression": "jpeg"})],
    "AVIF": [("RGB", {})],
}


def originals() -> list[bytes]:
    """Return small files of every kind."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    levels = rng.integers(0, 4096, (24, 32, 4)).astype(np.uint16)
    files = [png16(levels[..., :n]) for n in (1, 2, 3, 4)]
    files += [tiff(levels[..., :1]), tiff(levels[..., :1].astype(np.int16), order=">")]
    files += [tiff(levels[..., :3], interpretation=2), tiff(levels[..., :1], interpretation=0, n_pages=3)]
    files.append(b"P5 32 24 65535\n" + levels[..., 0].astype(">u2").tobytes())
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind, ways in _WRITTEN.items():
        for mode, options in ways if kind != "AVIF" or features.check("avif") else []:
            file = io.BytesIO()
            picture.convert(mode).save(file, kind, exif=exif, **options)
            files.append(file.getvalue())
    return files


@functools.cache
def _squeezed(n_bytes: int) -> bytes:
    """Return zeros, compressed to a thousandth."""
    writer, piece = zlib.compressobj(9), bytes(10**6)
    return b"".join(writer.compress(piece) for _ in range(n_bytes // 10**6)) + writer.flush()


def _png_bomb(rng: np.random.Generator, most_bytes: int) -> bytes:
    """Return a small PNG file that claims any size, kind and text, and may hold as many pixels."""
    width, height = (int(rng.choice(_SIDES)) % 2**32 for _ in range(2))
    if rng.random() < 0.5:  # as many pixels as are allowed, or few more
        height = max(1, min(2**31 - 1, int(rng.choice([3e7, 8.9e7, 2e8])) // max(width, 1)))
    bits, kind = [(1, 0), (8, 0), (16, 0), (8, 2), (16, 2), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6)][
        rng.integers(10)
    ]
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, int(rng.integers(2)))
    content = _squeezed(min(int(rng.choice(CONTENTS)), most_bytes))
    chunks = [(b"IHDR", head)]
    if kind == 3:
        chunks += [(b"PLTE", bytes(768)), (b"tRNS", bytes(256))]
    if rng.random() < 0.3:
        name = [b"zTXt", b"iCCP"][rng.integers(2)]
        chunks.append((name, b"name\0\0" + content))
    chunks += [(b"IDAT", content), (b"IEND", b"")]
    file = b"\x89PNG\r\n\x1a\n"
    for name, content in chunks:
        check = struct.pack(">I", zlib.crc32(name + content))
        file += struct.pack(">I", len(content)) + name + content + check
    return file


def _tiff_bomb(rng: np.random.Generator) -> bytes:
    """Return a TIFF file whose tags lie."""
    levels = np.zeros((8, 8, int(rng.choice([1, 3, 4]))), [np.uint8, np.uint16, np.int16][rng.integers(3)])
    tags = (256, 257, 258, 259, 262, 277, 278, 279, 284, 317, 322, 323, 324, 338, 339, 530)
    lies = {f"t{rng.choice(tags)}": int(rng.choice([*_SIDES, 2, 5, 7, 8, 16, 32, 64])) for _ in range(3)}
    lies |= {tag: lies[tag] % 2**16 for tag in ("t258", "t339") if tag in lies}
    return tiff(levels, interpretation=int(rng.integers(7)), **lies)


def _mutated(file: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with bytes changed, numbers made huge, cut, or with a piece twice or missing."""
    content = bytearray(file)
    for _ in range(int(rng.integers(1, 6))):
        if not content:
            break
        place = int(rng.integers(len(content) if rng.random() < 0.5 else min(len(content), 200)))
        match int(rng.integers(6)):
            case 0:
                content[place] = int(rng.integers(256))
            case 1:
                content[place] ^= 1 << int(rng.integers(8))
            case 2:
                number = struct.pack("<>"[rng.integers(2)] + "I", int(rng.choice(_SIDES)))
                content[place : place + 4] = number
            case 3:
                del content[max(place, 10) :]
            case 4:
                content[place:place] = content[place : place + int(rng.integers(1, 50))]
            case 5:
                del content[place : place + int(rng.integers(1, 20))]
    return _rechecked(bytes(content)) if rng.random() < 0.5 else bytes(content)


def _rechecked(file: bytes) -> bytes:
    """Return a PNG file with checksums that hold, so that what it claims is believed."""
    if not file.startswith(b"\x89PNG\r\n\x1a\n"):
        return file
    made, place = file[:8], 8
    while place + 12 <= len(file):
        (size,) = struct.unpack(">I", file[place : place + 4])
        body = file[place + 4 : place + 8 + size]
        made += file[place : place + 4] + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + size
    return made


def crafted(seed: int, files: list[bytes], *, most_bytes: int = CONTENTS[-1]) -> bytes:
    """Return the file of a seed: every fourth claims what it likes, the others are changed ones."""
    rng = np.random.default_rng(seed)
    if seed % 4 == 0:
        return _png_bomb(rng, most_bytes) if seed % 8 else _tiff_bomb(rng)
    return _mutated(files[rng.integers(len(files))], rng)
