"""The configs that a comparison runs: shipped ones, with its data and budget.
"""
import os.path as osp
import sys
from typing import List, Optional, Sequence

from ...datasets.labelled_files import read_text
from ...datasets.retrieval import MarketDataset
from ...datasets.retrieval.market1501 import FOLDERS
from ...engine.shipped_configs import PREFIX
from .plan import Budget, PersonData, classes_file
from .rows import PRETRAININGS

SIZE = (96, 48)  # height, width of a person; that of the demos
PARTS_SIZE = (96, 64)
_SUFFIX = dict(vit_tiny='_vit_tiny', starnet_s3='')
# other sets than Market1501 may have more persons and cameras
OWN = dict(max_pid=sys.maxsize, num_cams=sys.maxsize)
IN_PROCESS = dict(num_workers=0, persistent_workers=False)


def pretraining_settings(name: str,
                         backbone: str,
                         data: PersonData,
                         budget: Budget,
                         expert: Optional[str] = None) -> dict:
    """A row's pretraining, scored by frozen search at its two ends; with an
    expert's file that stays as it is, if one is named."""
    settings = dict(
        _base_=f'{PREFIX}{PRETRAININGS[name].configs[backbone]}',
        randomness=dict(seed=budget.pretrain_seed),
        train_cfg=dict(max_epochs=budget.epochs),
        train_dataloader=dict(
            IN_PROCESS,
            batch_size=budget.batch_size,
            dataset=dict(
                sources=[dict(data_root=root) for root in data.sources])),
        default_hooks=dict(
            checkpoint=dict(interval=1, max_keep_ckpts=1),
            knn=dict(
                interval=budget.epochs,
                query=dict(retrieval_set(data.search, 'query'), _delete_=True),
                gallery=dict(
                    retrieval_set(data.search, 'gallery'), _delete_=True))))
    row = PRETRAININGS[name]
    changes = dict(
        encoder=row.encoder, heads=row.heads, data_preprocessor=row.views)
    model = {part: dict(new) for part, new in changes.items() if new}
    if expert:
        model['expert'] = dict(
            _delete_=True, type='FrozenExpert', checkpoint=osp.abspath(expert))
    return dict(settings, model=model) if model else settings


def retrieval_set(search: str, split: str, size: Sequence[int] = SIZE) -> dict:
    """A split of a folder of persons, as the monitor reads it."""
    pipeline = [
        dict(type='DecodeImage'),
        dict(type='ResizePerson', size=tuple(size)),
        dict(type='PackPerson')
    ]
    return dict(
        OWN,
        type='MarketDataset',
        data_root=search,
        split=split,
        pipeline=pipeline)


def check_search(search: str) -> None:
    """Read the names of all persons searched for and trained with.

    Raises:
        FileNotFoundError, ValueError: As ``MarketDataset``.
    """
    for split in FOLDERS:
        MarketDataset(search, split, pipeline=(), **OWN)


def search_settings(backbone: str, data: PersonData, budget: Budget,
                    weights: Optional[str], seed: int) -> dict:
    """Fine-tuning for search among the same persons under another camera."""
    loader = dict(IN_PROCESS, dataset=dict(OWN, data_root=data.search))
    return dict(
        _base_=f'{PREFIX}reid/market1501/demo{_suffix(backbone)}.py',
        randomness=dict(seed=seed),
        model=dict(
            _start(weights), head=dict(num_classes=_persons(data.search))),
        train_dataloader=loader,
        val_dataloader=loader,
        test_dataloader=loader,
        train_cfg=dict(
            max_epochs=budget.search_epochs,
            val_interval=budget.search_epochs),
        default_hooks=dict(checkpoint=dict(interval=1, max_keep_ckpts=1)))


def parts_settings(backbone: str, data: PersonData, budget: Budget,
                   weights: Optional[str], seed: int) -> dict:
    """Fine-tuning for the parts of persons, UPerNet."""
    classes = read_classes(classes_file(data.parts))
    dataset = dict(
        type='PartsDataset',
        data_root=data.parts,
        metainfo=dict(classes=classes),
        img_suffix=('.jpg', '.png'),
        seg_map_suffix='.png')
    resize = dict(type='Resize', scale=PARTS_SIZE[::-1], keep_ratio=False)
    train_pipeline = [
        dict(type='LoadPartImage'),
        dict(type='LoadPartLabels'),
        dict(resize, type='RandomResize', ratio_range=(0.8, 1.25)),
        dict(type='RandomCrop', crop_size=PARTS_SIZE),
        dict(type='RandomPartFlip', prob=0.5),
        dict(type='PackSegInputs'),
    ]
    test_pipeline = [
        dict(type='LoadPartImage'), resize,
        dict(type='LoadPartLabels'),
        dict(type='PackSegInputs')
    ]
    val_loader = dict(
        IN_PROCESS, dataset=_split(dataset, 'val', test_pipeline))
    model = dict(
        _start(weights),
        data_preprocessor=dict(size=PARTS_SIZE),
        decode_head=dict(num_classes=len(classes)),
        auxiliary_head=dict(num_classes=len(classes)))
    if backbone == 'vit_tiny':
        model.setdefault('backbone', {})['img_size'] = PARTS_SIZE
    return dict(
        _base_=f'{PREFIX}part_seg/lip/demo{_suffix(backbone)}.py',
        randomness=dict(seed=seed),
        model=model,
        train_dataloader=dict(
            IN_PROCESS, dataset=_split(dataset, 'train', train_pipeline)),
        val_dataloader=val_loader,
        test_dataloader=val_loader,
        train_cfg=dict(
            max_iters=budget.part_iters, val_interval=budget.part_iters),
        default_hooks=dict(checkpoint=dict(interval=100, max_keep_ckpts=1)))


def read_classes(path: str) -> List[str]:
    """Names of part classes: ``hair`` or ``1 hair: what it is``, a line each.

    Raises:
        ValueError: If a number is not that of its line, from 0 on, or there
            is no name.
    """
    names = []
    for line in filter(None, map(str.strip, read_text(path).splitlines())):
        number, _, name = line.partition(' ')
        if not number.isdigit():
            name = line
        elif int(number) != len(names):
            raise ValueError(f'{path}: {line!r} is class {len(names)}: '
                             'classes are numbered from 0, in their order')
        names.append(name.partition(':')[0].strip())
    if not names:
        raise ValueError(f'{path} names no class: wanted is one a line, the '
                         'background first')
    return names


def _start(weights: Optional[str]) -> dict:
    if weights is None:
        return {}
    init_cfg = dict(type='Pretrained', checkpoint=osp.abspath(weights))
    return dict(backbone=dict(init_cfg=init_cfg))


def _suffix(backbone: str) -> str:
    if backbone not in _SUFFIX:
        raise ValueError(f'{backbone} has no demo of search and parts to be '
                         f'measured by; {", ".join(_SUFFIX)} have')
    return _SUFFIX[backbone]


def _split(dataset: dict, split: str, pipeline: list) -> dict:
    return dict(
        dataset,
        ann_file=f'{split}_id.txt',
        data_prefix=dict(
            img_path=f'{split}_images', seg_map_path=f'{split}_segmentations'),
        pipeline=pipeline)


def _persons(search: str) -> int:
    """How many persons there are to train with."""
    return MarketDataset(search, pipeline=(), **OWN).metainfo['num_ids']
