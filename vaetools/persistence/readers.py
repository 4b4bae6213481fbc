"""A reader of images in a model file: its parameters, and what it learnt."""

from typing import Any

from joblib import cpu_count

from vaetools.data import UINT8
from vaetools.data.reader import ImageReader
from vaetools.persistence.values import read_parameters, write_parameters


def write_reader(reader: ImageReader, names: list[str]) -> dict[str, Any]:
    """Return a fitted reader, and the names of the pipeline's steps, as JSON."""
    shape, size = list(reader.image_shape_), reader.typical_size_
    learnt = {"image_shape": shape, "dtype": reader.dtype_, "typical_size": size and list(size)}
    return {"parameters": write_parameters(reader, reader.get_params()), **learnt, "steps": names}


def read_reader(written: dict[str, Any]) -> ImageReader:
    """Return what `write_reader` wrote, with no more processes than this machine has cores."""
    reader = ImageReader(**read_parameters(written["parameters"]))
    if reader.n_jobs is not None:
        reader.n_jobs = min(reader.n_jobs, cpu_count())
    reader.image_shape_ = tuple(written["image_shape"])
    reader.dtype_ = written.get("dtype", UINT8)
    size = written.get("typical_size")
    reader.typical_size_ = size and tuple(size)
    return reader
