"""A model, a data set and a runner as small as they come, for the hooks.

The model has the interface of SAIP: encoder, expert, heads, health numbers,
BatchNorm, dropout, a centre.
"""
import copy
from types import SimpleNamespace

import torch
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader, Dataset, default_collate

import saip_mm.engine  # noqa: F401
from saip_mm.engine import check_finite_losses

DIMS, PROTOTYPES = 4, 8


class ToyEncoder(nn.Module):

    dims = SimpleNamespace(image=DIMS)
    backbone = SimpleNamespace(options={})

    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, DIMS))
        self.conv = nn.Conv2d(3, DIMS, 3)
        self.norm = nn.BatchNorm2d(DIMS)
        self.drop = nn.Dropout(0.2)

    def extract(self, images):
        features = self.drop(self.norm(self.conv(images))).mean((2, 3))
        return features + self.cls_token[0]


class ToyExpert(nn.Module):

    def __init__(self, encoder, trainable_average=True):
        super().__init__()
        self.trainable_average = self.averages_encoder = trainable_average
        self.encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.eval()
        self.momenta = []

    def train(self, mode=True):
        return super().train(False)

    @torch.no_grad()
    def update(self, model, momentum):
        self.momenta.append(momentum)
        pairs = zip(self.encoder.state_dict().values(),
                    model.encoder.state_dict().values())
        for old, new in pairs:
            if old.is_floating_point():
                old.lerp_(new, 1 - momentum)


class ToyHead(nn.Module):

    def __init__(self):
        super().__init__()
        self.prototypes = nn.Linear(DIMS, PROTOTYPES, bias=False)
        self.expert_temperature = 0.04
        self.register_buffer('center', torch.zeros(PROTOTYPES))

    def loss(self, student, expert):
        targets = (self.prototypes(expert).detach() - self.center).softmax(-1)
        logits = self.prototypes(student).log_softmax(-1)
        self.center.lerp_(targets.mean(0), 0.1)
        spread = nn.functional.normalize(student, dim=-1).std(0).mean()
        used = targets.argmax(-1).unique().numel()
        return {
            'loss_csm': -(targets * logits).sum(-1).mean(),
            'health/std': spread.detach(),
            'health/entropy': torch.special.entr(targets).sum(-1).mean(),
            'health/prototypes': torch.tensor(float(used)),
            'health/prototype_use': torch.tensor(used / len(student)**0.5)
        }


class ToyModel(BaseModel):
    input_statistics = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    untrained = []

    def __init__(self, trainable_average=True, matching=True):
        super().__init__()
        self.encoder = ToyEncoder()
        self.expert = ToyExpert(self.encoder, trainable_average)
        self.heads = nn.ModuleDict({'csm': ToyHead()} if matching else {})
        self.drawn = []

    def forward(self, inputs, mode='loss', **kwargs):
        images = inputs + 0.1 * torch.rand_like(inputs)
        self.drawn.append(float(images.sum()))
        student = self.encoder.extract(images)
        losses = dict(loss_csr=student.square().mean())
        if 'csm' in self.heads:
            expert = self.expert.encoder.extract(images)
            losses.update(self.heads['csm'].loss(student, expert))
        return losses

    def parse_losses(self, losses):
        check_finite_losses(losses)
        return super().parse_losses(losses)


class ToyImages(Dataset):

    def __init__(self, length=20):
        generator = torch.Generator().manual_seed(5)
        self.images = torch.rand(length, 3, 6, 6, generator=generator)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return dict(inputs=self.images[index % len(self)], replaced=index % 2)


class ToySampler:
    """Order by epoch, with the ``skip`` of ResumableSampler."""

    def __init__(self, dataset, seed=0):
        self.length, self.epoch, self.skipped = len(dataset), 0, 0

    def __len__(self):
        return self.length

    def set_epoch(self, epoch):
        self.epoch = epoch

    def skip(self, count):
        self.skipped = count

    def __iter__(self):
        generator = torch.Generator().manual_seed(self.epoch)
        order = torch.randperm(self.length, generator=generator)
        skipped, self.skipped = self.skipped, 0
        return iter(order[skipped:].tolist())


def toy_loader(length=20, batch_size=4):
    data = ToyImages(length)
    return DataLoader(
        data,
        batch_size,
        sampler=ToySampler(data),
        collate_fn=default_collate,
        drop_last=True)


HOOKS = ('IterationSeedHook', 'ResumeEpochHook', 'PendingGradientsHook',
         'PlainCheckpointHook', 'WeightDecayLogHook', 'ExpertUpdateHook',
         'ExpertTemperatureHook', 'FreezePrototypesHook')


def toy_runner(work_dir,
               hooks=(),
               epochs=2,
               counts=1,
               model=None,
               wrapper='TensorClipOptimWrapper',
               **kwargs):
    """A runner of 2 epochs x 5 iterations; ``kwargs`` go to the Runner."""
    # the message hub of a name is global: a run must not see another's
    toy_runner.count = getattr(toy_runner, 'count', 0) + 1
    init_default_scope('mmpretrain')
    torch.manual_seed(1)
    settings = dict(
        model=model or ToyModel(),
        work_dir=str(work_dir),
        train_dataloader=toy_loader(),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(
            type=wrapper,
            accumulative_counts=counts,
            optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.04),
            clip_grad=dict(max_norm=0.1),
            constructor='BackboneLayerDecayOptimWrapperConstructor'),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, end=3, by_epoch=False),
            dict(
                type='CosineAnnealingLR',
                begin=3,
                eta_min=1e-6,
                by_epoch=False),
            dict(
                type='CosineAnnealingParamScheduler',
                param_name='weight_decay',
                eta_min_ratio=10,
                convert_to_iter_based=True)
        ],
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1),
            checkpoint=dict(
                type='CheckpointHook',
                interval=-1,
                save_last=False,
                backend_args=dict(backend='atomic'))),
        custom_hooks=[
            dict(type=h) if isinstance(h, str) else h for h in hooks
        ],
        default_scope='mmpretrain',
        experiment_name=f'toy_{toy_runner.count}',
        randomness=dict(seed=3))
    settings.update(kwargs)
    return Runner(**settings)
