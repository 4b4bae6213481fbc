"""The likelihoods that have a name: normal, with a scale of several kinds, and of values in [0, 1]."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.checks import POSITIVE, check
from vaetools.nn import GAUSSIAN_SCALES, LIKELIHOOD_CLASSES, Shape
from vaetools.nn.density import Likelihood

_REACH = 3.0  # standard deviations beyond which an encoder sees less and less of a value
_LEAST = 0.01  # of the mean of local variances: what is new where nothing ever is costs much, and no fortune
_NEAR = 5  # pixels a side of the neighborhood whose largest scale is that of a pixel
_MIN_LOG_SCALE = -7.0  # 9e-4 scaled units: a constant column must not send the density to infinity
_EXCESS = (1e-3, 30.0)  # of a learnt log-scale over that: as much at least and at most


class Gaussian(Likelihood):
    """Normal density with independent features.

    Parameters
    ----------
    scale : float or {"global", "per_feature", "local", "predicted"}, default="global"
        Standard deviation, in units of the scaled rows.

        - a positive float: given and fixed. ``2**-0.5`` makes the cost the plain sum of
          squared errors plus a constant.
        - ``"global"``: one learnt number.
        - ``"per_feature"``: one learnt number per column.
        - ``"local"``: in training one for all; in use one per pixel of images, the largest of those
          within two pixels of it and at least a tenth of that one, all then smaller by the one factor that
          is likeliest, so that what is odd where nothing ever is costs more, and what lies a little beside
          its place does not. Without ``image_shape`` one per column.
        - ``"predicted"``: the decoder predicts it for every row and column.
    floor : float, default=0.1
        With ``scale="predicted"`` the scale is ``floor + softplus(output)``: far below the
        floor a decoder would win nats by being certain of training rows. Otherwise unused.

    References
    ----------
    Rybkin, Daniilidis, Levine (2021), "Simple and Effective VAE Training with Calibrated
    Decoders", ICML.

    Examples
    --------
    >>> import torch
    >>> from vaetools import Gaussian
    >>> half_squared_error = Gaussian(scale=1.0)
    >>> mean, x = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    >>> log_prob = half_squared_error.log_prob(mean, x)
    >>> round((log_prob[0, 0] - log_prob[0, 1]).item(), 3)  # half of the squared error of 4
    2.0
    """

    raw_log_scale: nn.Parameter
    n_shared: int  # columns that a learnt scale is of
    image_shape: Shape | None = None  # by which pixels are near each other
    tail: float | None = None  # degrees of freedom, if what lies far out costs less than its square in use

    def __init__(self, scale: float | str = "global", *, floor: float = 0.1):
        super().__init__()
        if not (scale in GAUSSIAN_SCALES if isinstance(scale, str) else POSITIVE.holds(scale)):
            raise ValueError(
                f"Gaussian: scale must be a positive number or one of {GAUSSIAN_SCALES}; got {scale!r}."
            )
        check("Gaussian", "floor", floor, POSITIVE)
        scale = scale if isinstance(scale, str) else float(scale)
        self.scale, self.floor = scale, floor
        self.n_parameters = 2 if scale == "predicted" else 1

    @property
    def options(self) -> Mapping[str, object]:
        """Constructor arguments, as plain values."""
        return {"scale": self.scale, "floor": self.floor}

    def inputs(self, x: Tensor) -> Tensor:
        """Return what an encoder sees of rows: where there is a tail, values far out are drawn in."""
        return x if self.tail is None else _REACH * torch.asinh(x / _REACH)

    @property
    def has_learnt_scale(self) -> bool:
        """Whether the scale is a weight of the likelihood itself."""
        return self.scale in ("global", "per_feature", "local")

    def bind(self, n_features: int) -> "Gaussian":
        """Return a copy whose learnt scale fits ``n_features`` columns, starting at 1."""
        bound = Gaussian(self.scale, floor=self.floor)
        if bound.has_learnt_scale:
            size = 1 if self.scale == "global" else n_features
            bound.n_shared = n_features // size
            bound.raw_log_scale = nn.Parameter(torch.empty(size, dtype=torch.float32))
            bound.fit_scale(torch.ones(n_features))
        return bound

    @torch.no_grad()
    def fit_scale(self, mean_squared_error: Tensor) -> None:
        """Set a learnt scale to its maximum-likelihood value; without one, do nothing."""
        if not self.has_learnt_scale:
            return
        variance = mean_squared_error.double()
        if self.scale == "global":
            variance = variance.mean(dim=0, keepdim=True)
        self._set(0.5 * variance.log())

    @torch.no_grad()
    def follow_scale(self, share: float | Tensor, mean_weight: float | Tensor = 1.0) -> None:
        """Take a learnt scale that share of the way to its maximum-likelihood value on a batch.

        The mean cost of a cell has the gradient 1 − squared error / variance with regard to the
        log-scale, so that backward has said what a running mean of squared errors becomes. Of rows that
        count differently the gradient is that times their mean weight.
        """
        log_scale, slope = self._learnt_log_scale, torch.sigmoid(self.raw_log_scale - _MIN_LOG_SCALE)
        assert self.raw_log_scale.grad is not None
        gradient = self.raw_log_scale.grad / slope / self.n_shared / mean_weight
        gradient = gradient.clamp_max(1)  # of no error at all; rounding may tell of less
        if self.scale == "local":  # the squared error was compared with the variance in use
            gradient = 1 - (1 - gradient) * torch.exp(2 * (self._log_scale - log_scale))
        self._set(log_scale + 0.5 * torch.log1p(-share * gradient))

    @property
    def takes_watched_scale(self) -> bool:
        """Whether its scale is to be that of rows that watch: one learnt scale of normal tails.

        That of training rows is the smaller the better these are known by heart. Heavier tails make up for
        it, and a scale per column asks for more rows than are watched.
        """
        return self.scale == "global" and self.tail is None

    def spared(self, mean_cost: Tensor) -> Tensor:
        """Return how much less rows of a mean cost would cost at the scale that is likeliest by them."""
        if not self.takes_watched_scale:
            return torch.zeros_like(mean_cost)
        log_scale = self._log_scale.cpu().to(mean_cost)
        at_mean = 0.5 * math.log(2 * math.pi) + log_scale
        ratio = 2 * (mean_cost / self.n_shared - at_mean)  # of their squared error to the variance
        likeliest = ratio.clamp_min(torch.exp(2 * (_MIN_LOG_SCALE + _EXCESS[0] - log_scale)))
        return (0.5 * self.n_shared * (ratio - ratio / likeliest - torch.log(likeliest))).squeeze()

    @property
    def _learnt_log_scale(self) -> Tensor:
        """The learnt log-scale, which stays above the least one."""
        return _MIN_LOG_SCALE + F.softplus(self.raw_log_scale - _MIN_LOG_SCALE)

    @property
    def _log_scale(self) -> Tensor:
        """The log-scale in use; its gradient is that of the learnt one."""
        learnt = self._learnt_log_scale
        if self.scale != "local":
            return learnt
        variance = torch.exp(2 * learnt.detach())
        used = variance.mean().expand_as(variance) if self.training else self._nearby(variance)
        return learnt + (0.5 * used.log() - learnt.detach())

    def _nearby(self, variance: Tensor) -> Tensor:
        """Return for every pixel the largest variance near it, all by as much less as is likeliest."""
        largest = variance
        if self.image_shape is not None:
            image = variance.reshape(1, *self.image_shape)
            largest = F.max_pool2d(image, _NEAR, stride=1, padding=_NEAR // 2).flatten()
        largest = largest.clamp_min(_LEAST * variance.mean())
        return largest * (variance / largest).mean()

    @torch.no_grad()
    def _set(self, log_scale: Tensor) -> None:
        """Give the learnt log-scale a value."""
        excess = (log_scale - _MIN_LOG_SCALE).clamp(*_EXCESS)
        self.raw_log_scale.copy_(_MIN_LOG_SCALE + torch.log(torch.expm1(excess)))

    def _split(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Return means ``(n_samples, n_features)`` and log-scales that broadcast to it."""
        if self.scale == "predicted":
            mean, raw = parameters.chunk(2, dim=1)
            return mean, torch.log(self.floor + F.softplus(raw))
        if self.has_learnt_scale:
            return parameters, self._log_scale
        return parameters, parameters.new_full((), math.log(float(self.scale)))

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return the log-density of every feature of every row, in nats."""
        return self._log_prob_of(*self._split(parameters), x)

    def blurred_log_prob(self, parameters: Tensor, x: Tensor, blur: Tensor) -> Tensor:
        """Return the log-density where values are known to within a blur, a standard deviation each."""
        mean, log_scale = self._split(parameters)
        wider = log_scale + 0.5 * torch.log1p(torch.square(blur * torch.exp(-log_scale)))
        return self._log_prob_of(mean, wider, x)

    def _log_prob_of(self, mean: Tensor, log_scale: Tensor, x: Tensor) -> Tensor:
        """Return log-densities: normal ones, in use with the tail of Student's t if there is one."""
        squared_error, precision = F.mse_loss(mean, x, reduction="none"), torch.exp(-2 * log_scale)
        tail = self._tail_in_use
        if tail is None:
            at_mean = -0.5 * math.log(2 * math.pi) - log_scale
            return torch.addcmul(at_mean, squared_error, precision, value=-0.5)
        at_mean = _log_peak(tail) - log_scale
        return at_mean - 0.5 * (tail + 1) * torch.log1p(squared_error * precision / tail)

    @property
    def _tail_in_use(self) -> float | None:
        """The tail, but in training, where squared errors say more of most rows."""
        return None if self.training else self.tail

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the expected value of every feature of every row."""
        return self._split(parameters)[0]

    def entropy(self, parameters: Tensor) -> Tensor:
        """Return the expected −log-density of every feature of every row, in nats."""
        mean, log_scale = self._split(parameters)
        tail = self._tail_in_use
        at_one = 0.5 * math.log(2 * math.pi * math.e) if tail is None else _entropy(tail)
        return (log_scale + at_one).expand_as(mean)


def _log_peak(tail: float) -> float:
    """Return the log-density of Student's t at 0, at a scale of 1."""
    return math.lgamma(0.5 * (tail + 1)) - math.lgamma(0.5 * tail) - 0.5 * math.log(tail * math.pi)


def _entropy(tail: float) -> float:
    """Return the entropy of Student's t at a scale of 1."""
    halves = torch.tensor([0.5 * (tail + 1), 0.5 * tail], dtype=torch.float64, device="cpu")
    more, less = map(float, torch.digamma(halves))
    return 0.5 * (tail + 1) * (more - less) - _log_peak(tail)


class Bernoulli(Likelihood):
    """Binary cross-entropy with logits; values between 0 and 1 are accepted.

    For gray values this is a cost and not a density: its greatest value depends on the pixel,
    which makes dark and bright images look more normal than gray ones. Prefer
    `ContinuousBernoulli` or `Gaussian` for images that are not binary.

    Examples
    --------
    >>> import torch
    >>> from vaetools import Bernoulli
    >>> Bernoulli().log_prob(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]))
    tensor([[-0.6931, -0.6931]])
    """

    unit_interval = True

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return the log-probability of every feature of every row, in nats."""
        return x * parameters - F.softplus(parameters)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the expected value of every feature of every row."""
        return torch.sigmoid(parameters)

    def entropy(self, parameters: Tensor) -> Tensor:
        """Return the expected −log-probability of every feature of every row, in nats."""
        return -self.log_prob(parameters, self.mean(parameters))  # which is linear in x


class ContinuousBernoulli(Bernoulli):
    """Density on [0, 1] proportional to that of a Bernoulli variable, in logits.

    Exact far into both tails, where torch's own class clamps the probability.

    References
    ----------
    Loaiza-Ganem, Cunningham (2019), "The continuous Bernoulli: fixing a pervasive error in
    variational autoencoders", NeurIPS.

    Examples
    --------
    >>> import torch
    >>> from vaetools import ContinuousBernoulli
    >>> ContinuousBernoulli().mean(torch.tensor([[-60.0, 0.0, 60.0]]))
    tensor([[0.0167, 0.5000, 0.9833]])
    """

    def log_prob(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return the log-density of every feature of every row, in nats."""
        half, small, safe = self._half(parameters)
        series = half**2 / 3 - 7 * half**4 / 90 + 62 * half**6 / 2835
        # log(l / tanh(l / 2)), by its series where the quotient is 0 / 0
        normalizer = math.log(2) + torch.where(small, series, torch.log(safe / torch.tanh(safe)))
        return super().log_prob(parameters, x) + normalizer

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the expected value of every feature of every row."""
        half, small, safe = self._half(parameters)
        series = half / 3 - half**3 / 45 + 2 * half**5 / 945
        return 0.5 + 0.5 * torch.where(small, series, 1 / torch.tanh(safe) - 1 / safe)

    @staticmethod
    def _half(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return half of the logits, where they are too small to divide by, and others in these places."""
        half = logits / 2
        small = half.abs() < 0.02
        return half, small, torch.where(small, torch.ones_like(half), half)


LIKELIHOODS: dict[str, type[Likelihood]] = dict(
    zip(LIKELIHOOD_CLASSES, (Gaussian, Bernoulli, ContinuousBernoulli), strict=True)
)
