"""Formats of files: by name, to find images and tables; by content, to say why one cannot be read.

Light to import: processes that decode start with it.
"""

import os
import re

_EXTENSIONS = {  # of images, read or not: what such a file holds is seen when it is opened
    "read": "png apng jpg jpeg jpe jfif webp bmp dib gif tif tiff ppm pgm pbm pnm avif",
    "HEIC": "heic heics heif heifs hif",
    "unread": "jxl jp2 j2k j2c jpf jpx jxr wdp hdp psd psb xcf exr hdr tga pcx dcm dicom dds qoi fits ico",
    "drawn": "svg svgz",
    "raw": "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f",
}
_RAW = {f".{name}" for name in _EXTENSIONS["raw"].split()}
EXTENSIONS = {f".{name}" for names in _EXTENSIONS.values() for name in names.split()}
_ARCHIVES = dict.fromkeys((".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.lz4"), "tar")
_ARCHIVES |= {".zip": "zip", ".br": "Brotli", ".lz": "lzip", ".lzma": "LZMA", ".sz": "Snappy"}
_ARCHIVES |= {".z": "compress", ".7z": "7z", ".rar": "rar"}
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
CSV, PARQUET, ARROW, EXCEL = "CSV", "Parquet", "Arrow", "Excel"
PACKED = (".gz", ".bz2", ".xz", ".zst", ".lz4")  # what packed text is called
ARRAYS = (".npy", ".npz")
_TABLES = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".data"), CSV),
    **dict.fromkeys((".parquet", ".pq"), PARQUET),
    **dict.fromkeys((".feather", ".arrow", ".arrows", ".ipc"), ARROW),
    **dict.fromkeys((".xlsx", ".xlsm"), EXCEL),
}
TEXTS = {".txt", ".text", ".dat", ".asc", ".prn"}  # may hold notes, or rows
_PANDAS = {  # tables all the same, and what of pandas reads them
    ".json": "read_json(path)",
    ".jsonl": "read_json(path, lines=True)",
    ".ndjson": "read_json(path, lines=True)",
    ".xls": "read_excel(path)",
    ".ods": "read_excel(path)",
    ".orc": "read_orc(path)",
    ".dta": "read_stata(path)",
    ".sav": "read_spss(path)",
    ".sas7bdat": "read_sas(path)",
    ".h5": "read_hdf(path)",
    ".hdf5": "read_hdf(path)",
    ".pkl": "read_pickle(path)",
    ".pickle": "read_pickle(path)",
    ".xml": "read_xml(path)",
    ".html": "read_html(path)[0]",
}
_UNREAD = {extension: f"pandas: pandas.{how}.to_parquet(…)" for extension, how in _PANDAS.items()}
_UNREAD |= dict.fromkeys(
    (".db", ".sqlite", ".sqlite3"), "pandas: pandas.read_sql(query, connection).to_parquet(…)"
)
_UNREAD |= {".mat": "SciPy: scipy.io.loadmat(path)", ".avro": "what wrote it, to Parquet"}
_UNREAD |= dict.fromkeys((".rds", ".rda", ".rdata"), "R: write.csv(table, path, row.names = FALSE)")
_NOTES = {".json", ".xml", ".html", ".db", ".pkl", ".pickle"}  # beside parts they tell of these, or nothing
_WORKBOOKS = {".xls": b"\xd0\xcf\x11\xe0", ".xlsx": b"PK\3\4"}  # and how such a file begins
_HTML = re.compile(rb"<(!doctype html|html|table|meta|style)\b", re.IGNORECASE)
_DISGUISED = {
    ".xls": ("old Excel", f"Convert it with {_UNREAD['.xls']}"),
    ".xlsx": ("new Excel", "Rename it to .xlsx"),
    ".html": ("HTML", f"Convert it with {_UNREAD['.html']}"),
    ".csv": ("text", "Rename it to .csv"),
}
READ = "CSV (.csv, .tsv, .txt, .data, also as .gz, .bz2, .xz, .zst or .lz4), Parquet, Arrow or .xlsx"


class Called:
    """What a file calls itself.

    Attributes
    ----------
    extension : str
        In lower case, in front of that of what packed it.
    table : str or None
        The format of a table that is read; None of all else.
    archive : str or None
        Which archive it is, such as "tar archive"; None of all else.

    Examples
    --------
    >>> [Called(name).table for name in ("a.CSV", "b.tsv.bz2", "c.feather", "d.png", "e.gz")]
    ['CSV', 'CSV', 'Arrow', None, None]
    """

    def __init__(self, path: str | os.PathLike[str]):
        self._path = os.fsdecode(path)
        name = self._path.lower()
        stem, self.extension = os.path.splitext(name)
        if self.extension in PACKED:
            self.extension = os.path.splitext(stem)[1]
        self.table = _TABLES.get(self.extension)
        self.archive = next(
            (f"{kind} {ARCHIVE}" for end, kind in _ARCHIVES.items() if name.endswith(end)), None
        )

    def unread(self) -> str | None:
        """Return what to do with an archive, or a table of a format that is not read; None of another file.

        Examples
        --------
        >>> Called("photos.tar.gz").unread()
        'a tar archive, which is not read: unpack it, and name the folder or the file'
        >>> Called("rows.orc").unread()[-68:]
        'got ORC. Convert it with pandas: pandas.read_orc(path).to_parquet(…)'
        """
        if self.archive:
            return f"a {self.archive}, which is not read: {_UNPACK}"
        called = self.extension[1:].upper()
        if self.extension in _WORKBOOKS and (inside := self._inside()) not in (None, self.extension):
            what, how = _DISGUISED[inside]
            return f"a table must be {READ}; got {what} that is called {called}. {how}"
        if self.extension not in _UNREAD:
            return None
        return f"a table must be {READ}; got {called}. Convert it with {_UNREAD[self.extension]}"

    def unread_part(self) -> str | None:
        """Return why what lies beside parts of a table is not read, if it holds rows; None of other files.

        Examples
        --------
        >>> [Called(name).unread_part() for name in ("part-1.csv.zip", "old.zip", "schema.json")]
        ['a zip archive, which is not read: unpack it, and name the folder or the file', None, None]
        """
        if self.archive:
            return self.unread() if Called(os.path.splitext(self._path)[0]).table else None
        return None if self.extension in _NOTES else self.unread()

    def _inside(self) -> str | None:
        """Return the extension that a workbook should have by its content, if that is known."""
        from vaetools.data.encodings import is_text  # not light

        if not os.path.isfile(self._path):
            return None
        with open(self._path, "rb") as file:
            start = file.read(512)
        for extension, sign in _WORKBOOKS.items():
            if start.startswith(sign):
                return extension
        if _HTML.search(start):
            return ".html"
        return ".csv" if is_text(start) and start.strip() else None


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


def unread_format(head: bytes, readable: tuple[str, ...]) -> str | None:
    """Return what a file is that no decoder knows, and what to do with it; None if that is unknown too.

    ``head`` are its first `N_SIGN_BYTES`; ``readable`` the formats that are read here, as Pillow calls them.

    Examples
    --------
    >>> unread_format(b"PK and so on", ("PNG",)), unread_format(b"Rar!.", ("PNG",))
    (None, None)
    >>> unread_format(b"8BPS and so on", ("PNG",))
    'a Photoshop image, which is not read: convert it to PNG, TIFF or JPEG'
    """
    if head[4:8] == b"ftyp":  # of the family of MP4
        size = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
        brands = {head[8:12]} | {head[i : i + 4] for i in range(16, size, 4)}
        if brands & _AVIF:
            takes = "an AVIF image, which takes Pillow 11.3 or newer"
            return "a damaged AVIF image" if "AVIF" in readable else takes
        if brands & _HEIC:
            takes = "a HEIC image, which takes a package: pip install pillow-heif"
            return "a damaged HEIC image" if "HEIF" in readable else takes
        return "a video, or an image of a camera's own format"
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


def left_out_as(place: str) -> str | None:
    """Return as what a file is left out, by its path from a folder on; None if it is called an image.

    Examples
    --------
    >>> [left_out_as(place) for place in ("._a.png", ".old/a.png", "a.PNG", "Thumbs.db", "LICENSE")]
    ['hidden', 'hidden', None, '.db', 'without extension']
    >>> [left_out_as(place) for place in ("photos.tar.gz", "a.png~")]
    ['tar archive', 'backup copy']
    """
    if "/." in f"/{place.replace(os.sep, '/')}":
        return HIDDEN
    if kind := Called(place).archive:
        return kind
    extension = os.path.splitext(place)[1].lower()
    if extension in EXTENSIONS:
        return None
    if extension.rstrip("~") in EXTENSIONS:
        return BACKUP
    return extension if 1 < len(extension) <= _LONGEST_EXTENSION else NO_EXTENSION


def is_parquet(name: str) -> bool:
    """Return whether a file calls itself Parquet, the only table that is read at an address."""
    return Called(name).table == PARQUET
