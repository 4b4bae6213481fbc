"""The only training loop.

Rows are gathered by index from one array, scaled on their way to the device, and nothing is read
back from it for `SYNC_STEPS` steps: losses, sums and the check for non-finite numbers accumulate
there, and so does the copy of the last good weights.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from vaetools.nn.batches import Rows
from vaetools.nn.centering import center_steps, takes_uncentered
from vaetools.nn.cuda_graph import Captured
from vaetools.nn.model import Autoencoder, antithetic_noise, trained_parts
from vaetools.nn.networks import Network
from vaetools.nn.parallel import Workers
from vaetools.nn.schedule import MOMENTS, TrainingSettings, share_of_batch, weighted_share
from vaetools.words import warn

SYNC_STEPS = 50
_MAX_GRADIENT_NORM = 100.0
_MAX_RECOVERIES = 4
_VALIDATION_DRAWS = 2
_PARTS = ("loss", "reconstruction", "kl", "added")  # of a record: the loss, and what it is made of

Record = dict[str, float]
Callback = Callable[[Record, Autoencoder], None]
Keep = Callable[["Trainer"], object]


class Trainer:
    """Train an autoencoder on rows, in steps that can be saved and continued.

    The model is changed in place, on the device and in the precision that it has. A learnt scale of the
    likelihood is no weight of the optimizer: every step sets it to the running mean of squared errors.
    Costs of rows are multiplied by their weights, where they have some.
    ``held_out`` rows, if any, are scored after every epoch by a running mean of weights, at the final beta
    and with fixed noise. Once ``settings.n_iter_no_change`` epochs after the warm-ups, of one cycle at least
    half, brought no loss lower by ``settings.tol`` nats, training stops. In the end the mean that did best is
    taken. The seed is of two generators: row order, and noise on the device.
    """

    def __init__(
        self,
        model: Autoencoder,
        rows: Rows,
        settings: TrainingSettings,
        *,
        seed: int,
        held_out: Rows | None = None,
    ):
        self.model, self.rows, self.held_out, self.settings = model, rows, held_out, settings
        self.device, self.dtype = model.log_unit.device, model.log_unit.dtype
        self._near_rows = rows.near(self.device, self.dtype)
        self._row_weights = rows.weights_as(model.log_unit)
        self.steps_per_epoch = math.ceil(len(rows) / settings.batch_size)
        self.n_steps = self.steps_per_epoch * settings.n_epochs
        self.order_generator = torch.Generator("cpu").manual_seed(seed)
        self.noise_generator = torch.Generator(self.device).manual_seed(seed)
        self.parameters, self.scaled = trained_parts(model)
        self._watched = [*self.parameters, *(part.raw_log_scale for part in self.scaled)]
        self.workers = Workers.here()
        self.costs = self.workers.spread(model)
        # buffers too: a network of the user's may keep running statistics
        self._state = [*self._watched, *(b for b in model.buffers() if b.is_floating_point())]
        self._start_optimizer()
        self.history: list[Record] = []
        self.epoch, self.step, self.n_recoveries, self.finished = 0, 0, 0, not settings.n_epochs
        self.best_loss, self.best_epoch, self.last_epoch = math.inf, 0, settings.n_epochs
        self.mean_weights = [] if held_out is None else self._weights()
        self.best_weights = self.mean_weights
        self.order = torch.empty(0, dtype=torch.int64, device="cpu")
        self._shuffled = self._near_rows
        self.order_state = self.order_generator.get_state()  # before the order was drawn
        self.record: Record = {}
        exact = torch.float32 if self.device.type == "mps" else torch.float64  # which MPS does not have
        self.parts = _PARTS if model.added is not None else _PARTS[:-1]
        self.sums = torch.zeros(len(self.parts), dtype=exact, device=self.device)
        self.note_good()
        self._pending: list[tuple[Record, Tensor]] = []

    def _start_optimizer(self) -> None:
        """Make Adam without moments, and what takes a step with it."""
        on_gpu, rate = self.device.type == "cuda", self.settings.learning_rate_init
        lr = torch.tensor(rate, device=self.device) if on_gpu else rate
        options: dict[str, Any] = {"betas": MOMENTS, "fused": True, "capturable": on_gpu}
        self.optimizer = torch.optim.Adam(self.parameters, lr=lr, **options)
        if takes_uncentered(self.model, self.rows.scale):
            center_steps(self.optimizer, self.model, self.rows)
        # another network may decide step by step
        captures = on_gpu and self.workers.n == 1 and isinstance(self.model.network, Network)
        self._captured = Captured(self._update_weights) if captures else None

    @property
    def _learning_rate(self) -> float:
        """Learning rate of this step, lowered tenfold by every recovery."""
        return 0.1**self.n_recoveries * self.settings.rate_at(self.step / self.steps_per_epoch)

    def _weights(self) -> list[Tensor]:
        return [tensor.detach().clone() for tensor in self._state]

    @torch.no_grad()
    def _set_weights(self, weights: list[Tensor]) -> None:
        for tensor, weight in zip(self._state, weights, strict=True):
            tensor.copy_(weight)

    @property
    def n_done(self) -> int:
        """Steps of the epoch that is under way."""
        return self.step - self.epoch * self.steps_per_epoch

    @property
    def good_epoch(self) -> int:
        """The epoch, counted from 1, of the last step that was checked; 0 before there is one."""
        return math.ceil(self._good[2] / self.steps_per_epoch)

    def note_good(self) -> None:
        """Take these weights as those to go back to."""
        self._good = (self._weights(), self.epoch, self.step)  # at once, so that no interruption splits it

    def run(
        self,
        callbacks: Sequence[Callback] = (),
        progress: Callable[[], object] | None = None,
        keep: Keep | None = None,
    ) -> list[Record]:
        """Train to the end and return one record per epoch.

        A record holds mean losses in nats per row. Callbacks are called after every epoch with its record and
        the model; they, and early stopping, read the device once per epoch. ``progress`` is called after
        every step, and ``keep`` with the trainer wherever its state is whole; it must not change it.
        """
        self.workers.agree({"step in the checkpoint": self.step})
        read_each_epoch = bool(callbacks) or self.held_out is not None
        self.model.train()
        try:
            while not self.finished:
                epoch = self.epoch
                self._train_epoch(keep, progress)
                is_last = self.epoch >= self.last_epoch
                checked = (read_each_epoch or is_last) and self._check()
                if self.epoch <= epoch:  # went back
                    continue
                stalled = self.held_out is not None and self._watch()
                for callback in callbacks:
                    callback(self.history[-1], self.model)
                self.finished = is_last or stalled
                if self.finished and self.held_out is not None:
                    self._take_best()
                if checked and keep is not None:  # after callbacks, which may have changed the weights
                    keep(self)
        finally:
            self.model.eval()
        return self.history

    def has_learnt(self) -> bool:
        """After an interruption, whether some weights are good: they are finite, and so is what they cost."""
        costs = [record.get("held_out_loss", 0.0) for record in self.history] or [0.0]
        return any(map(math.isfinite, costs)) and bool(self.good_epoch or (self.step and self._check()))

    def stop_here(self) -> None:
        """After an interruption, leave the best weights, or those of the last step that was checked."""
        self._set_weights(self.best_weights if self.best_epoch else self._good[0])

    def _train_epoch(self, keep: Keep | None, progress: Callable[[], object] | None) -> None:
        """Make one pass over the rows or the rest of one, or go back where it led nowhere."""
        first = self.n_done
        if not first:
            self.draw_order()
            self.record = {
                "epoch": self.epoch + 1,
                "beta": self.settings.beta_at(self.step, self.n_steps),
                "learning_rate": float(self._learning_rate),
            }
            self.sums = torch.zeros_like(self.sums)
        n_rows, size = len(self.rows), self.settings.batch_size
        for start in range(first * size, n_rows, size):
            self.sums += self._train_step(slice(start, min(start + size, n_rows)))
            if progress is not None:
                progress()
            if self.step % SYNC_STEPS == 0:
                if not self._check():
                    return
                if keep is not None:
                    keep(self)
        self.epoch += 1
        self._pending.append((self.record, self.sums / n_rows))

    def draw_order(self) -> None:
        """Shuffle the rows."""
        self.order_state = self.order_generator.get_state()
        self.order = torch.randperm(len(self.rows), generator=self.order_generator, device="cpu")
        index = self._near_rows.index[self.order.numpy()]
        self._shuffled = dataclasses.replace(self._near_rows, index=index)

    def _train_step(self, batch: slice) -> Tensor:
        """Take one step; return the loss and its parts, summed over the rows of the batch."""
        n_rows = batch.stop - batch.start
        mine = self.workers.share(n_rows)
        places = range(batch.start, batch.stop)[mine]
        where = slice(places.start, places.stop, places.step)
        x, y = self._shuffled.batch(where, self.device, self.dtype)
        size, generator = (n_rows, self.model.n_components), self.noise_generator
        noise = torch.randn(size, generator=generator, device=self.device, dtype=self.dtype)[mine]
        seen = self._corrupted(x, n_rows, mine) if self.settings.corrupts else None
        group = self.optimizer.param_groups[0]
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(self._learning_rate)
        else:
            group["lr"] = self._learning_rate
        spare = self.workers.rank >= n_rows  # too few rows for so many workers
        weight = 0.0 if spare else self.workers.n / n_rows
        update = self._captured or self._update_weights
        beta = self.settings.beta_at(self.step, self.n_steps)
        share: float | Tensor = share_of_batch(self.step)
        weights: Tensor | None = None
        mean_weight: float | Tensor = 1.0
        if self._row_weights is not None:
            everyone = self._row_weights[self.order[batch].to(self.device)]
            weights, mean_weight = everyone[mine], everyone.mean()
            share = weighted_share(share, mean_weight)
        sums = update(x, y, noise, seen, weights, beta, weight, share, mean_weight)
        self.step += 1
        return self.workers.total(sums * 0.0 if spare else sums)

    def _update_weights(
        self,
        x: Tensor,
        y: Tensor | None,
        noise: Tensor,
        seen: Tensor | None,
        weights: Tensor | None,
        beta: float | Tensor,
        weight: float | Tensor,
        share: float | Tensor,
        mean_weight: float | Tensor,
    ) -> Tensor:
        """Go down the gradient of ``weight`` · the summed loss; return it and its parts.

        ``weights`` are of the rows, or None. Learnt scales go ``share`` of the way to their
        maximum-likelihood values on the batch.
        """
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            reconstruction, kl, *added = self.costs(x, y, noise, seen, weights)
        loss = sum(added, reconstruction + beta * kl)
        self.model.zero_grad()
        (loss * weight).backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        if self.device.type != "cpu" or norm > _MAX_GRADIENT_NORM:  # elsewhere, to look is to wait
            torch.nn.utils.clip_grads_with_norm_(self.parameters, _MAX_GRADIENT_NORM, norm)
        self.optimizer.step()
        for part in self.scaled:
            part.follow_scale(share, mean_weight)
        loss = loss + 0.0 * norm  # NaN where gradients overflowed
        return torch.stack([loss, reconstruction, kl, *added]).detach()

    def _corrupted(self, x: Tensor, n_rows: int, mine: slice) -> Tensor:
        """Return what a denoising encoder sees of this worker's share of a batch."""
        noise, masking = self.settings.input_noise, self.settings.input_masking
        options: dict[str, Any] = {"generator": self.noise_generator, "device": x.device, "dtype": x.dtype}
        size = (n_rows, x.shape[1])
        if noise:
            x = self.model.likelihood.noisy(x, noise * torch.randn(size, **options)[mine])
        if masking:
            x = self.model.likelihood.masked(x, torch.rand(size, **options)[mine] < masking)
        return x

    def _check(self) -> bool:
        """If all steps since the last check were finite, keep weights and epochs, else go back to it."""
        watched = [*self._watched, self.sums, *(means for _, means in self._pending)]
        if torch.stack([torch.isfinite(each).all() for each in watched]).all().item():
            self.note_good()
            self.history += [
                record | dict(zip(self.parts, means.tolist(), strict=True)) for record, means in self._pending
            ]
            self._pending.clear()
            return True
        self.n_recoveries += 1
        if self.n_recoveries > _MAX_RECOVERIES:
            raise FloatingPointError(
                f"the loss became infinite or NaN {self.n_recoveries} times, the last time at a "
                f"learning rate of {10 * self._learning_rate:.2g}. Look for extreme values in X, "
                "or lower learning_rate_init."
            )
        weights, good_epoch, _ = self._good
        warn(
            "the loss became infinite or NaN by epoch "
            f"{math.ceil(self.step / self.steps_per_epoch)}: went back to epoch {good_epoch}, the "
            f"last with good weights, and lowered the learning rate to {self._learning_rate:.2g}.",
            RuntimeWarning,
        )
        self._set_weights(weights)
        self._start_optimizer()
        self.sums = torch.zeros_like(self.sums)
        self.epoch, self.step = good_epoch, good_epoch * self.steps_per_epoch
        self._pending.clear()
        return False

    def _watch(self) -> bool:
        """Score the held-out rows by the mean weights, note the best epoch and say whether it is long ago."""
        now, share = self._weights(), self.settings.share_of_epoch(self.epoch)
        both = zip(self.mean_weights, now, strict=True)  # what is equal stays, also an infinite number
        self.mean_weights = [torch.where(mean == own, own, mean.lerp(own, share)) for mean, own in both]
        self._set_weights(self.mean_weights)
        loss = self._held_out_loss()
        self._set_weights(now)
        self.history[-1]["held_out_loss"] = loss
        if not self.settings.may_be_best(self.step, self.n_steps):
            return False
        if loss < self.best_loss - self.settings.tol:
            self.best_loss, self.best_epoch, self.best_weights = loss, self.epoch, self.mean_weights
        return self.epoch - self.best_epoch >= self.settings.patience

    def _take_best(self) -> None:
        """Take the mean weights that did best, or raise where held-out rows never cost a finite number."""
        if not self.best_epoch:
            raise FloatingPointError("held-out rows cost infinity or NaN. Look for extreme values in X.")
        self._set_weights(self.best_weights)

    @torch.no_grad()
    def _held_out_loss(self) -> float:
        """Mean reconstruction + final beta · KL + added loss of the held-out rows, weighted if they are.

        A scale that is to be that of rows that watch counts as theirs.
        """
        self.model.eval()
        assert self.held_out is not None
        costs = []  # of rows: of their values, and all others
        for start in range(0, len(self.held_out), 1024):
            x, y = self.held_out.batch(slice(start, start + 1024), self.device, self.dtype)
            reading = self.model.read(x, y)
            kl = self.settings.beta * reading.kl.sum(dim=1)
            drawn = []
            for draw in antithetic_noise(_VALIDATION_DRAWS, len(x), self.model.n_components).to(x):
                own, *added = (cost.sum(dim=1) for cost in reading.costs(reading.latent.draw(draw)))
                drawn.append(torch.stack([own, sum(added, kl)]))
            costs.append(torch.stack(drawn).mean(dim=0).cpu().double())
        self.model.train()
        together = torch.cat(costs, dim=1)
        weights = self.held_out.weights_as(together)
        own, others = (together * (1 if weights is None else weights)).mean(dim=1)
        spared = self.model.likelihood.spared(own - self.model.log_unit.sum().cpu().double())
        loss = (own + others - spared).item()
        each = torch.tensor(loss / self.workers.n, dtype=self.dtype, device=self.device)
        return loss if self.workers.n == 1 else self.workers.total(each).item()  # all stop together
