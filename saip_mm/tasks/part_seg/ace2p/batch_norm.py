from typing import Iterable

import torch
from mmengine.dist import all_reduce
from mmengine.model import BaseModel
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def estimate_batch_norm(model: BaseModel, batches: Iterable[dict]) -> None:
    """Measure BatchNorm's running statistics anew, over whole batches.

    Averaged weights give other activations than any of the weights that were
    averaged, and the statistics of none of them fit. Means and variances
    become the plain averages over the batches, and over the processes;
    nothing else of the model changes. Left in eval mode.

    Args:
        model (BaseModel): Runs in ``tensor`` mode.
        batches (Iterable[dict]): As a training loader gives them, of one
            size each.
    """
    norms = [
        module for module in model.modules()
        if isinstance(module, _BatchNorm) and module.track_running_stats
    ]
    model.train()  # some modules keep values as long as they stay in eval mode
    model.eval()
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average
        norm.train()
    for batch in batches:
        model(**model.data_preprocessor(batch, True), mode='tensor')
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
        all_reduce(norm.running_mean, op='mean')
        all_reduce(norm.running_var, op='mean')
    model.eval()
