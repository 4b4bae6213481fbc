"""The state of a training: all that its next step depends on, as named tensors and plain values."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from vaetools.nn.training import Trainer

_PLAIN = (
    "epoch",
    "step",
    "n_recoveries",
    "best_loss",
    "best_epoch",
    "last_epoch",
    "finished",
    "record",
)


def state_of(trainer: "Trainer") -> dict[str, Any]:
    """Return a copy of the state of a trainer, one value per name.

    It is whole where `Trainer.run` hands the trainer to ``keep``: there every step has been checked.
    """
    tensors = {f"model.{name}": tensor for name, tensor in trainer.model.state_dict().items()}
    for i, moments in trainer.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{name}": tensor for name, tensor in moments.items()}
    tensors |= {f"best.{i}": weight for i, weight in enumerate(trainer.best_weights)}
    tensors |= {f"mean.{i}": weight for i, weight in enumerate(trainer.mean_weights)}
    # not the order itself, which is as long as the rows: it is drawn again
    order = trainer.order_state if trainer.n_done else trainer.order_generator.get_state()
    tensors |= {"order": order, "noise": trainer.noise_generator.get_state(), "sums": trainer.sums}
    plain = {name: getattr(trainer, name) for name in _PLAIN} | {"history": list(trainer.history)}
    return {name: tensor.clone() for name, tensor in tensors.items()} | plain


def restore(trainer: "Trainer", state: dict[str, Any]) -> None:
    """Continue from what `state_of` returned, with tensors on any device.

    Raises
    ------
    KeyError, IndexError, TypeError, ValueError or RuntimeError
        If it is not the state of such a training, or one that has come to an end without a number.
    """
    model = {name.removeprefix("model."): state[name] for name in state if name.startswith("model.")}
    trainer.model.load_state_dict(model)
    moments: dict[int, dict[str, Tensor]] = {}
    for name in (name for name in state if name.startswith("optimizer.")):
        _, i, key = name.split(".")
        weight = trainer.parameters[int(i)]
        like = weight.new_zeros(()) if key == "step" else weight
        moments.setdefault(int(i), {})[key] = _copy(state[name], like)
    trainer.optimizer.load_state_dict(trainer.optimizer.state_dict() | {"state": moments})
    trainer.best_weights = [_copy(state[f"best.{i}"], like) for i, like in enumerate(trainer.best_weights)]
    trainer.mean_weights = [_copy(state[f"mean.{i}"], like) for i, like in enumerate(trainer.mean_weights)]
    trainer.order_generator.set_state(state["order"])
    trainer.noise_generator.set_state(state["noise"])
    trainer.sums = _copy(state["sums"], trainer.sums)
    for name in _PLAIN:
        setattr(trainer, name, state[name])
    trainer.history = list(state["history"])
    _check(trainer)
    if trainer.n_done:
        trainer.draw_order()
    trainer.note_good()


@torch.no_grad()
def _check(trainer: "Trainer") -> None:
    """Raise where a trainer stands at no place of its schedule, or cannot go on from its weights."""
    first = trainer.epoch * trainer.steps_per_epoch
    if trainer.epoch > trainer.settings.n_epochs or not 0 <= trainer.step - first <= trainer.steps_per_epoch:
        raise ValueError(
            f"step {trainer.step} of epoch {trainer.epoch} is none of {trainer.settings.n_epochs} epochs of "
            f"{trainer.steps_per_epoch} steps"
        )
    if not trainer.epoch <= trainer.last_epoch <= trainer.settings.n_epochs:
        raise ValueError(f"it ends with epoch {trainer.last_epoch}")
    if trainer.n_done and trainer.record.keys() < {"epoch", "beta", "learning_rate"}:
        raise ValueError(f"the epoch under way has no record; got {list(trainer.record)}")
    x, y = trainer.rows.batch(slice(trainer.settings.batch_size), trainer.device, trainer.dtype)
    was_training = trainer.model.training
    reading = trainer.model.eval().read(x, y)  # as of a model in use: nothing is drawn
    costs = reading.reconstruction.sum(dim=1) + reading.kl.sum(dim=1)
    trainer.model.train(was_training)
    if not all(torch.isfinite(tensor).all() for tensor in (*trainer.parameters, costs)):
        raise ValueError("its weights give rows a cost that is not finite")


def _copy(tensor: Tensor, like: Tensor) -> Tensor:
    """Return a copy of a tensor on the device of another, whose shape it must have."""
    if tensor.shape != like.shape:
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} where {tuple(like.shape)} is needed")
    return tensor.to(like.device, copy=True)
