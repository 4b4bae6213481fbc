"""Formats of files: by name, to find images in folders; by content, to say why one cannot be read."""

from __future__ import annotations

import os

_EXTENSIONS = {  # of images, read or not: what such a file holds is seen when it is opened
    "read": "png apng jpg jpeg jpe jfif webp bmp dib gif tif tiff ppm pgm pbm pnm avif",
    "HEIC": "heic heics heif heifs hif",
    "unread": "jxl jp2 j2k j2c jpf jpx jxr wdp hdp psd psb xcf exr hdr tga pcx dcm dicom dds qoi fits ico",
    "drawn": "svg svgz",
    "raw": "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f",
}
_RAW = {f".{name}" for name in _EXTENSIONS["raw"].split()}
EXTENSIONS = {f".{name}" for names in _EXTENSIONS.values() for name in names.split()}
_ARCHIVES = {
    ".zip": "zip",
    ".tar": "tar",
    ".tgz": "tar",
    ".tar.gz": "tar",
    ".tar.bz2": "tar",
    ".tar.xz": "tar",
    ".tar.zst": "tar",
    ".tar.lz4": "tar",
    ".br": "Brotli",
    ".lz": "lzip",
    ".lzma": "LZMA",
    ".sz": "Snappy",
    ".z": "compress",
    ".7z": "7z",
    ".rar": "rar",
}
_SIGNS = (  # from which byte on, what stands there, and what such a file is
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"II\xbc", "JPEG XR"),
    (0, b"8BPS", "Photoshop"),
    (0, b"gimp xcf", "GIMP"),
    (0, b"v/1\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"DDS ", "DDS"),
    (0, b"qoif", "QOI"),
    (0, b"SIMPLE  =", "FITS"),
    (0, b"\0\0\1\0", "Windows icon"),
    (128, b"DICM", "DICOM"),
    (0, b"PK\x03\x04", "zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (0, b"Rar!\x1a\x07", "rar archive"),
    (257, b"ustar", "tar archive"),
    (0, b"\x1f\x8b", "gzip archive"),
    (0, b"%PDF", "PDF document"),
)
ARCHIVE = "archive"  # as the kind of one ends
HIDDEN, NO_EXTENSION, BACKUP = "hidden", "without extension", "backup copy"
N_SIGN_BYTES = 264  # at the start of a file that tell what it is
_HEIC, _AVIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}, {b"avif", b"avis"}
_TIFF = {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}
_UNPACK = "unpack it, and name the folder or the file"
_LONGEST_EXTENSION = 9  # with its dot; what is longer is a part of the name


def raw_photograph(path: str) -> str | None:
    """Return why a file of a camera's sensor, known by its extension, is not read; None for others.

    Most are TIFF files, in which a reader of TIFF finds a thumbnail.

    Examples
    --------
    >>> raw_photograph("IMG_1.NEF")
    'a raw photograph (NEF), which is not read: export it as TIFF, PNG or JPEG'
    """
    extension = os.path.splitext(path)[1].lower()
    if extension not in _RAW:
        return None
    return f"a raw photograph ({extension[1:].upper()}), which is not read: export it as TIFF, PNG or JPEG"


def archive(path: str) -> str | None:
    """Return what is to be said of a file that calls itself an archive; None for others.

    Examples
    --------
    >>> archive("photos.tar.gz")
    'a tar archive, which is not read: unpack it, and name the folder or the file'
    """
    kind = _archive_kind(path)
    return kind and f"a {kind}, which is not read: {_UNPACK}"


def _archive_kind(path: str) -> str | None:
    """Return which archive a file calls itself."""
    kinds = (kind for end, kind in _ARCHIVES.items() if path.lower().endswith(end))
    return next((f"{kind} {ARCHIVE}" for kind in kinds), None)


def broken_link(path: str) -> str:
    """Return what a link is whose file is not there."""
    return f"a broken link: {os.readlink(path)!r} is not there"


def unread_format(head: bytes, readable: tuple[str, ...]) -> str | None:
    """Return what a file is that no decoder knows, and what to do with it; None if that is unknown too.

    Parameters
    ----------
    head : bytes
        The first `N_SIGN_BYTES` of the file.
    readable : tuple of str
        Formats that are read here, as Pillow calls them.

    Examples
    --------
    >>> unread_format(b"PK and so on", ("PNG",)), unread_format(b"Rar!.", ("PNG",))
    (None, None)
    >>> unread_format(b"8BPS and so on", ("PNG",))
    'a Photoshop image, which is not read: convert it to PNG, TIFF or JPEG'
    """
    if head[4:8] == b"ftyp":
        return _media(head, readable)
    if head[:4] in _TIFF:
        return (
            "a damaged TIFF image, or one of other pixels than gray and RGB: save it as such, or as an array"
        )
    if head.startswith((b"<?xml", b"<svg")) and b"<svg" in head:
        return "an SVG drawing, which has no pixels: export it as PNG"
    what = next((what for start, sign, what in _SIGNS if head.startswith(sign, start)), None)
    if what is None:
        return None
    if what.endswith(ARCHIVE):
        return f"a {what}: {_UNPACK}"
    if what.endswith("document"):
        return f"a {what}, and no image"
    article = "an" if what[0] in "AEIO" else "a"
    return f"{article} {what} image, which is not read: convert it to PNG, TIFF or JPEG"


def _media(head: bytes, readable: tuple[str, ...]) -> str:
    """Return what a file of the family of MP4 is."""
    size = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    brands = {head[8:12]} | {head[i : i + 4] for i in range(16, size, 4)}
    if brands & _AVIF:
        missing, takes = "AVIF" not in readable, "an AVIF image, which takes Pillow 11.3 or newer"
        return takes if missing else "a damaged AVIF image"
    if brands & _HEIC:
        missing, takes = (
            "HEIF" not in readable,
            "a HEIC image, which takes a package: pip install pillow-heif",
        )
        return takes if missing else "a damaged HEIC image"
    return "a video, or an image of a camera's own format"


def left_out_as(name: str) -> str | None:
    """Return as what a file that was met in a folder is left out; None if it calls itself an image.

    Parameters
    ----------
    name : str
        Without its folder.

    Returns
    -------
    kind : str or None
        ``"hidden"``, which archive it is, ``"backup copy"`` of an image, its extension, or ``"without
        extension"``.

    Examples
    --------
    >>> [left_out_as(name) for name in ("._a.png", "a.PNG", "Thumbs.db", "LICENSE")]
    ['hidden', None, '.db', 'without extension']
    >>> [left_out_as(name) for name in ("photos.tar.gz", "a.png~")]
    ['tar archive', 'backup copy']
    """
    if name.startswith("."):
        return HIDDEN
    if archive_kind := _archive_kind(name):
        return archive_kind
    extension = os.path.splitext(name)[1].lower()
    if extension in EXTENSIONS:
        return None
    if extension.rstrip("~") in EXTENSIONS:
        return BACKUP
    return extension if 1 < len(extension) <= _LONGEST_EXTENSION else NO_EXTENSION
