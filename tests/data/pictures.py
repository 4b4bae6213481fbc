"""Image files that tests make: good ones of every kind, and hostile ones."""

import io
import os
import struct
import zlib

import numpy as np
from PIL import Image

FORMATS = {
    "png": "PNG",
    "jpg": "JPEG",
    "gif": "GIF",
    "bmp": "BMP",
    "tif": "TIFF",
    "webp": "WEBP",
    "ppm": "PPM",
}


def noise(height=28, width=28, seed=0):
    """A random RGB image."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encoded(image, kind, **options):
    """An image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, FORMATS[kind], **options)
    return buffer.getvalue()


def png16(levels):
    """A PNG file of levels ``(height, width, channels)``: gray, gray and alpha, RGB, or RGBA of 16 bits."""
    height, width, channels = levels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in levels)

    def chunk(name, content):
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(levels, *, interpretation=1, extra=None, order="<", n_pages=1, **tags):
    """A TIFF file of levels ``(height, width, channels)``, its tags as given; further pages are the same."""
    height, width, channels = levels.shape
    content = levels.astype(levels.dtype.newbyteorder(order)).tobytes()
    entries = {256: width, 257: height, 258: 8 * levels.itemsize, 259: 1, 262: interpretation}
    entries |= {277: channels, 278: height, 279: len(content)}
    entries |= {339: {"u": 1, "i": 2}[levels.dtype.kind]} | ({} if extra is None else {338: extra})
    entries |= {int(tag[1:]): value for tag, value in tags.items()}
    repeated = {258, 339} if channels > 1 else set()
    directory = 2 + 12 * (len(entries) + 1) + 4
    file = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    for page in range(n_pages):
        start = len(file)
        lists = {tag: start + directory + 2 * channels * i for i, tag in enumerate(sorted(repeated))}
        entries[273] = start + directory + 2 * channels * len(lists)
        file += struct.pack(order + "H", len(entries))
        for tag, value in sorted(entries.items()):
            if tag in lists:
                file += struct.pack(order + "HHII", tag, 3, channels, lists[tag])
            else:
                file += struct.pack(order + "HHII", tag, 4, 1, value)
        last = page == n_pages - 1
        file += struct.pack(order + "I", 0 if last else entries[273] + len(content))
        file += b"".join(struct.pack(f"{order}{channels}H", *[entries[tag]] * channels) for tag in lists)
        file += content
    return file


def write_gray(folder, n, *, size=12, first=0):
    """n random gray PNGs, and their pixels as rows."""
    rows = []
    for i in range(first, first + n):
        image = noise(size, size, seed=i).convert("L")
        image.save(folder / f"{i:04d}.png")
        rows.append(np.asarray(image).ravel())
    return np.stack(rows)


def write_hostile(folder, *, n_good=20):
    """Fill a folder with what people and attackers leave there; return good and bad paths."""
    good, bad = [], []

    def put(name, content, paths):
        path = os.path.join(os.fsencode(folder), os.fsencode(name))
        with open(path, "xb") as file:
            file.write(content)
        paths.append(os.fsdecode(path))

    plain = encoded(noise().convert("L"), "png")
    for i in range(n_good):
        put(f"good{i}.png", plain, good)
    for kind in FORMATS:
        content = encoded(noise(30, 40), kind)
        for tenth in range(10):
            put(f"cut{tenth}.{kind}", content[: len(content) * tenth // 10], bad)
        put(f"text.{kind}", b"<script>alert(1)</script>", bad)
        put(f"misnamed_{kind}.{'png' if kind != 'png' else 'jpg'}", content, good)
    for name in ("dangling.png", "loop.png"):
        os.symlink("nowhere" if name == "dangling.png" else name, folder / name)
        bad.append(str(folder / name))
    os.symlink(".", folder / "again")
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    bad += [str(folder / "pipe.png"), str(folder / "folder.png")]
    put("bomb.png", encoded(Image.new("1", (30_000, 30_000)), "png"), bad)
    put("1x1.png", encoded(Image.new("L", (1, 1), 7), "png"), good)
    put("deep.png", encoded(Image.fromarray(np.full((9, 9), 40_000, np.uint16)), "png"), good)
    put("cmyk.jpg", encoded(Image.new("CMYK", (30, 30), (10, 200, 0, 30)), "jpg"), good)
    palette = Image.new("P", (28, 28))
    palette.putpalette([255, 0, 0, 0, 255, 0])
    put("palette.png", encoded(palette, "png", transparency=0), good)
    frames = [Image.new("RGB", (28, 28), color) for color in ("red", "blue")]
    put("animated.gif", encoded(frames[0], "gif", save_all=True, append_images=frames[1:]), good)
    turned = Image.Exif()
    turned[0x0112] = 6
    put("turned.jpg", encoded(noise(20, 40), "jpg", exif=turned), good)
    for name in (
        "new\nline.png",
        "quo\"te'.png",
        "<script>alert(1)<_script>.png",
        "comma,.png",
        "\x1b[31mred.png",
        "=1+1.png",
        "-o.png",
    ):
        put(name, plain, good)
    put(b"caf\xe9\xff.png", plain, good)
    put(b"bad\xe9.png", b"x", bad)
    return good, bad


def mutations(n, seed=0):
    """Image files with a few bytes changed, most of them near the start."""
    rng = np.random.default_rng(seed)
    options = [(kind, {}) for kind in FORMATS]
    options += [("jpg", {"progressive": True}), ("tif", {"compression": "tiff_lzw"})]
    originals = [encoded(noise(40, 50), kind, **more) for kind, more in options]
    for i in range(n):
        content = bytearray(originals[i % len(originals)])
        for _ in range(rng.integers(1, 8)):
            within = min(len(content), 200) if rng.random() < 0.6 else len(content)
            content[rng.integers(within)] = rng.integers(256)
        yield bytes(content)
