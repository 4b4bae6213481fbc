"""Which model ``vaetools fit`` trains, and how it reads images: what was asked for, or suits the data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from vaetools.cli import command
from vaetools.words import did_you_mean, joined

if TYPE_CHECKING:
    from vaetools.data.listing import Listing

MODELS = {"ae": "AE", "vae": "VAE", "cvae": "CVAE", "vqvae": "VQVAE", "patches": "PatchDetector"}
_PATCHES, _WHOLE = "patches", "vae"
_WIDTHS = ("hidden_layer_sizes", "hidden_channels")
_NOT_TO_SET = {"network", "estimator", "verbose", "context"}  # no literals, or said by other options
Given = list[tuple[str, Any]]


class Plan(NamedTuple):
    """A model to train, and how data are read for it.

    Attributes
    ----------
    model : estimator
        Unfitted.
    images : dict
        Arguments of `read_images`.
    listing : Listing or None
        Of images.
    reasons : sequence of str
        Sentences that say what was chosen, and why; none where it was asked for.
    """

    model: Any
    images: dict[str, Any]
    listing: "Listing | None" = None
    reasons: Sequence[str] = ()

    @property
    def by_patches(self) -> bool:
        """Whether images are judged place by place."""
        return type(self.model).__name__ == MODELS[_PATCHES]

    @property
    def takes_labels(self) -> bool:
        """Whether rows are given labels, or a context."""
        return "condition_encoder" in self.model.get_params()

    @property
    def all_normal(self) -> bool:
        """Whether all rows that are not marked are taken for one kind of normal ones."""
        return not self.takes_labels and getattr(self.model, "contamination", "auto") == "auto"


def check_verdict(contamination: Any, false_alarm_rate: Any, confidence: Any, **others: Any) -> None:
    """Raise where options say two ways to find a threshold."""
    for option, value in (("--false-alarm-rate", false_alarm_rate), ("--confidence", confidence)):
        if contamination is not None and value is not None:
            raise command.misuse(option, "holds rows out, and --contamination does not: give one of them.")


def model_in_context(name: str | None, labels: str | None, context: Any, drop: tuple[str, ...]) -> str | None:
    """Return the model that was named, or the one that judges rows given a context; raise where it is not."""
    if context is None:
        return name
    if labels is not None or name not in (None, "cvae"):
        photographs = " A detector of photographs takes none." if name == _PATCHES else ""
        raise command.misuse("--context", f"is of a cvae without --labels.{photographs}")
    if both := sorted(context.columns.keys() & set(drop)):
        raise command.misuse("--context", f"takes no column that is dropped; got {both[0]!r}.")
    return "cvae"


def take_context(context: Any, plan: Plan, data: tuple[str, ...]) -> None:
    """Tell a model of a table the columns of its context; raise where the context is not of such data."""
    if context is None:
        return
    if (context.table is None) == (plan.listing is None):
        if plan.listing is None:
            plan.model.set_params(context=list(context.columns))
        return
    columns = ",".join(context.columns)
    if plan.listing is None:
        raise command.misuse(
            "--context",
            f"of a table names its columns alone, {columns}; got {str(context.table)!r} before them.",
        )
    raise command.misuse(
        "--context", f"of images is TABLE:{columns}, with a table that is there; {data[0]} are images."
    )


def make_plan(
    name: str | None, data: tuple[str, ...], seed: int, given: Given, images: dict[str, Any], reading: Any
) -> Plan:
    """Return the model that was named, or suits the data, with the parameters that were given."""
    from vaetools.data.sources import kind_of, list_training_images

    if kind_of(data) != "images":
        for option, value in {"--size": images["size"], "--cache": images["cache"]}.items():
            if value is not None:
                raise command.misuse(option, f"is for images; got {data[0]}.")
        if name == _PATCHES:
            raise command.misuse("--model", f"{name} is for images; got {data[0]}.")
        return Plan(make_model(_blank(name or _WHOLE), seed, given), {})
    named = None if name is None else make_model(_blank(name), seed, given)
    patterns = {key: reading[key] for key in ("include", "exclude") if key in reading}
    listing = list_training_images(data, **patterns)
    if named is not None and name != _PATCHES:
        return Plan(named, images, listing)
    return _suited(named, seed, given, images, listing)


def load_frozen(plan: Plan) -> None:
    """Load the frozen network of a detector, so that one that is missing is told before anything is read."""
    from vaetools.estimators.backbone import Backbone, check_network

    model = plan.model
    if plan.by_patches and isinstance(model.backbone, str):
        check_network(type(model).__name__, "backbone", model.backbone)
        Backbone(model.backbone).load()


def _suited(named: Any, seed: int, given: Given, images: dict[str, Any], listing: "Listing") -> Plan:
    """Return what suits images that are looked at, and for a detector that was named how they are read.

    Where a parameter was given that only an autoencoder has, that is what is meant.
    """
    from vaetools.data.reader import MODES, ImageReader
    from vaetools.estimators.choosing import recommend, working_size

    looked = ImageReader(images["size"] or "auto", mode=images["mode"]).fit(listing.paths)
    channels, *scaled = looked.image_shape_
    original = looked.typical_size_ or (scaled[0], scaled[1])
    if len(set(map(working_size, looked.sample_sizes_))) > 1:  # of several aspects, which are padded
        original = (max(original), max(original))
    asked = None if images["size"] in (None, "auto") else (scaled[0], scaled[1])
    settled = {"size": asked, "scope": dict(given).get("scope", "auto")}
    model, size, reasons = recommend((channels, *original), len(listing.paths), **settled)
    of_patches = _blank(_PATCHES).get_params(deep=False)
    others = [f"{key}={value!r}" for key, value in given if key not in of_patches]
    if named is not None:
        model, size, reasons = named, working_size(original), []
    elif others:
        otherwise = reasons[0][0].lower() + reasons[0][1:]
        reasons = [f"A VAE of whole images, because of {joined(others)}. Without that, {otherwise}"]
        model, size = make_model(_blank(_WHOLE), seed, given), "auto"
    else:
        model = make_model(model, seed, given)
    if model.image_shape is None:
        mode = next(mode for mode, n in MODES.items() if n == channels)
        is_said = images["size"] is not None or size == "auto"
        images = images | {"size": tuple(scaled) if is_said else size, "mode": mode}
    return Plan(model, images, listing, reasons)


def _blank(name: str) -> Any:
    import vaetools

    return getattr(vaetools, MODELS[name])()


def make_model(model: Any, seed: int, given: Given) -> Any:
    """Return an unfitted model with other parameters; raise for such that it does not have, or has twice."""
    from vaetools.estimators.constructor import check_parameters

    known = model.get_params(deep=False).keys() - _NOT_TO_SET
    parameters: dict[str, Any] = {}
    for parameter, value in given:
        if parameter in parameters:
            twice = f"{parameter} is given twice, as {parameters[parameter]} and as {value}"
            raise command.misuse("--set", f"{twice}. Give one of them.")
        parameters[parameter] = value
    for parameter in parameters:
        if parameter not in known:
            owner = type(model).__name__
            has = f"{owner} has no parameter {parameter!r} to set; it has {', '.join(sorted(known))}"
            raise command.misuse("--set", f"{has}.{did_you_mean(parameter, known)}")
    one_layer = {name: (n,) for name, n in parameters.items() if name in _WIDTHS and type(n) is int}
    model.set_params(**{"random_state": seed} | parameters | one_layer)
    check_parameters(model)
    return model
