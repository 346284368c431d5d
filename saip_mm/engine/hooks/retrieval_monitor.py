from contextlib import contextmanager
from typing import Dict, Sequence

import torch
from mmengine.dist import get_dist_info
from mmengine.hooks import Hook
from torch import nn
from torch.utils.data import Dataset

from mmpretrain.registry import DATASETS, HOOKS
from ...evaluation import PersonFeatures, extract_features, retrieval_scores
from .model_parts import bare_model, expert_of


@contextmanager
def evaluating(module: nn.Module):
    """Eval mode inside, of every module the mode it had afterwards.

    ``train`` is called as well: timm's TinyViT keeps a cache of its biases in
    eval mode, which setting the flag alone does not clear.
    """
    modes = {part: part.training for part in module.modules()}
    module.train(False)
    try:
        yield
    finally:
        module.train(module.training or any(modes.values()))
        for part, mode in modes.items():
            part.training = mode


@HOOKS.register_module()
class RetrievalMonitorHook(Hook):
    """Score student and expert by k-NN retrieval of labelled persons.

    The nearest gallery image answers each query (Market-1501 protocol, see
    :func:`saip_mm.evaluation.retrieval_scores`). Logs ``knn/rank1``,
    ``knn/rank5``, ``knn/rank10``, ``knn/map`` and ``knn/minp`` of the
    student, the same of an averaged expert as ``knn/expert_rank1`` and so
    on; a frozen one does not change and is left out. Draws no random numbers
    and leaves the modes of all modules as they were.

    Args:
        query (dict | Dataset): A ``PersonRetrievalDataset``, or another one
            whose samples are its; inputs uint8 ``(3, H, W)`` RGB, all of one
            size.
        gallery (dict | Dataset): Likewise.
        interval (int): Epochs or iterations between scores; 0 switches the
            monitor off (``default_hooks.knn.interval=0``). Defaults to 10.
        by_epoch (bool): Defaults to True.
        before_train (bool): Score the fresh model as well. Defaults to True.
        batch_size (int): Images a forward, on each rank. Defaults to 256.
        num_workers (int): Of each rank. Defaults to 0.

    The input is normalised as the model's views are.
    """

    def __init__(self,
                 query,
                 gallery,
                 interval: int = 10,
                 by_epoch: bool = True,
                 before_train: bool = True,
                 batch_size: int = 256,
                 num_workers: int = 0) -> None:
        self.cfgs = dict(query=query, gallery=gallery)
        self.datasets: Dict[str, Dataset] = {}
        self.interval = interval
        self.by_epoch = by_epoch
        self.at_start = before_train
        self.batch_size = batch_size
        self.num_workers = num_workers

    def before_train(self, runner) -> None:
        """Build the sets, so that a wrong path fails early; score."""
        if not self.interval:
            return
        for name, cfg in self.cfgs.items():
            self.datasets[name] = DATASETS.build(cfg) if isinstance(
                cfg, dict) else cfg
        if self.at_start and runner.iter == 0:
            self.score(runner, 0)

    def after_train_iter(self,
                         runner,
                         batch_idx: int,
                         data_batch=None,
                         outputs=None) -> None:
        """Score every ``interval`` iterations, and after the last one."""
        if self.interval and not self.by_epoch and (self.every_n_train_iters(
                runner, self.interval) or self.is_last_train_iter(runner)):
            self.score(runner, runner.iter + 1)

    def after_train_epoch(self, runner) -> None:
        """Score every ``interval`` epochs, and after the last one."""
        if self.interval and self.by_epoch and (self.every_n_epochs(
                runner, self.interval) or self.is_last_train_epoch(runner)):
            self.score(runner, runner.iter)

    def score(self, runner, step: int) -> Dict[str, float]:
        """Score and log.

        Args:
            runner (Runner): The runner.
            step (int): Iterations done, the abscissa in the log.

        Returns:
            dict[str, float]: Scores in [0, 1] by name; empty on ranks other
            than the first.
        """
        model = bare_model(runner)
        encoders = {'': model.encoder}
        expert = expert_of(runner)
        if expert is not None and expert.averages_encoder:
            encoders['expert_'] = expert.encoder
        scores = {}
        for prefix, encoder in encoders.items():
            sets = [
                self.extract(encoder, self.datasets[name],
                             *model.input_statistics)
                for name in ('query', 'gallery')
            ]
            if get_dist_info()[0] == 0:
                result = retrieval_scores(*sets[0], *sets[1])
                named = {f'rank{k}': v for k, v in result.cmc.items()}
                named.update(map=result.map, minp=result.minp)
                for name, value in named.items():
                    scores[f'knn/{prefix}{name}'] = value
        if scores:
            for key, value in scores.items():
                runner.message_hub.update_scalar(key, value)
            runner.visualizer.add_scalars(scores, step=step)
            runner.logger.info(f'k-NN after {step} iterations: ' +
                               '  '.join(f'{key}: {value:.4f}'
                                         for key, value in scores.items()))
        return scores

    def extract(self, encoder: nn.Module, dataset: Dataset,
                mean: Sequence[float], std: Sequence[float]) -> PersonFeatures:
        """Image tokens of a whole set, see :func:`extract_features`.

        Args:
            encoder (nn.Module): With ``extract``, ``(B, 3, H, W)`` normalised
                images -> ``(B, D)``.
            dataset (Dataset): Query or gallery.
            mean (Sequence[float]): Of the input, RGB in 0-255.
            std (Sequence[float]): Likewise.

        Returns:
            PersonFeatures: On the encoder's device.
        """
        device = next(encoder.parameters()).device
        mean, std = (
            torch.tensor(values, device=device).view(1, 3, 1, 1)
            for values in (mean, std))

        def encode(images):
            images = images.to(device).float()
            return encoder.extract((images - mean) / std)

        with evaluating(encoder):
            found = extract_features(dataset, encode, self.batch_size,
                                     self.num_workers)
        return PersonFeatures(*(column.to(device) for column in found))
