"""Two public sets as a user's own: a folder in COCO's format, and a config.

Neither set belongs to a benchmark here; their labels are 14 joints and boxes
of pedestrians. What is written is what a user would write: annotations, the
pictures beside them, and a screen of config that inherits one of ours.
"""
import json
import os
import os.path as osp
import shutil
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np
from PIL import Image

from saip_mm.datasets.prepare.coco_persons import scale_box
from saip_mm.datasets.prepare.output import check_folder
from saip_mm.weights import write_file

# of Leeds Sports Pose, in its order; sigmas are COCO's, which has neither neck
# nor top of the head: the shoulders' and the wrists' are taken
LSP_JOINTS = ('right_ankle', 'right_knee', 'right_hip', 'left_hip',
              'left_knee', 'left_ankle', 'right_wrist', 'right_elbow',
              'right_shoulder', 'left_shoulder', 'left_elbow', 'left_wrist',
              'neck', 'head_top')
LSP_SIGMAS = dict(
    ankle=0.089,
    knee=0.087,
    hip=0.107,
    wrist=0.062,
    elbow=0.072,
    shoulder=0.079,
    neck=0.079,
    head_top=0.062)
LSP_LOWER = ('ankle', 'knee', 'hip')
# neighbours in these are joined by a line
LSP_CHAINS = ('right_ankle right_knee right_hip left_hip left_knee left_ankle',
              'right_wrist right_elbow right_shoulder left_shoulder '
              'left_elbow left_wrist', 'right_shoulder neck left_shoulder',
              'neck head_top')
LSP_TRAIN = 1000  # the first; the others are to test
BOX = 1.2  # of the joints' extent, for head, hands and feet


class Labelled(NamedTuple):
    """A picture with what is labelled on it.

    Attributes:
        path (str): Its file.
        annotations (list[dict]): COCO's, without ids.
    """
    path: str
    annotations: List[dict]


def write_lsp(source: str,
              out: str,
              configs: str,
              num: Optional[int] = None) -> str:
    """Write Leeds Sports Pose as keypoints of one's own.

    Args:
        source (str): Its folder, with ``images`` and ``joints.mat``.
        out (str): Folder to write: ``train.json``, ``val.json``, ``images``
            and ``config.py``.
        configs (str): This repository's folder of configs.
        num (int, optional): So many pictures of each split alone. Defaults
            to None, all: 1000 and 1000.

    Returns:
        str: Path of the config.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the joints are not as published.
        ImportError: If SciPy is not installed.
    """
    source = osp.expanduser(source)
    joints = read_lsp(osp.join(source, 'joints.mat'))
    pictures = [
        Labelled(
            osp.join(source, 'images', f'im{number:04d}.jpg'),
            [person_of_joints(points)])
        for number, points in enumerate(joints, 1)
    ]
    return _write_set(out, pictures[:LSP_TRAIN][:num],
                      pictures[LSP_TRAIN:][:num], lsp_config(configs))


def read_lsp(path: str) -> np.ndarray:
    """Joints of Leeds Sports Pose.

    Args:
        path (str): ``joints.mat``.

    Returns:
        np.ndarray: ``(N, 14, 3)`` float64: x, y in pixels, and COCO's v, 2
        or, where the joint is hidden, 1.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds no such joints.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f"'{path}' does not exist: it comes with "
                                'lsp_dataset.zip, beside images/')
    try:
        from scipy.io import loadmat
    except ModuleNotFoundError as error:
        raise ImportError(f'{path} is read with SciPy: pip install scipy, or '
                          "the extra 'pose'") from error
    try:
        joints = np.asarray(loadmat(path)['joints'], np.float64)
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"'{path}' has no joints: is it Leeds Sports "
                         f"Pose's? ({error})") from error
    if joints.ndim != 3 or joints.shape[:2] != (3, len(LSP_JOINTS)):
        raise ValueError(f"'{path}' has joints of {joints.shape}, (3, 14, "
                         'pictures) expected: Leeds Sports Pose, not its '
                         'extended training set')
    joints = joints.transpose(2, 1, 0).copy()
    joints[..., 2] = 2 - joints[..., 2]  # theirs is 1 where hidden
    return joints


def person_of_joints(points: np.ndarray) -> dict:
    """COCO's annotation of a person of whom only joints are known.

    Args:
        points (np.ndarray): ``(K, 3)`` x, y, v.

    Returns:
        dict: ``keypoints``, ``num_keypoints`` and ``bbox``, the extent of
        the joints times 1.2.
    """
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return dict(
        bbox=scale_box([*low, *(high - low)], BOX),
        keypoints=points.ravel().tolist(),
        num_keypoints=int((points[:, 2] > 0).sum()))


def write_penn_fudan(source: str,
                     out: str,
                     configs: str,
                     num: Optional[int] = None) -> str:
    """Write Penn-Fudan's pedestrians as boxes of one's own.

    Args:
        source (str): Its folder, with ``PedMasks`` and ``PNGImages`` (or
            ``JPEGImages``).
        out (str): As in :func:`write_lsp`.
        configs (str): As in :func:`write_lsp`.
        num (int, optional): As in :func:`write_lsp`. Defaults to None, all:
            120 and 50.

    Returns:
        str: Path of the config.

    Raises:
        FileNotFoundError: If a file is missing.
    """
    source = osp.expanduser(source)
    train, val = [], []
    for number, (path, mask) in enumerate(_penn_fudan_files(source)):
        split = val if number % 17 < 5 else train  # 50 of 170, spread evenly
        if num is None or len(split) < num:
            split.append(Labelled(path, boxes_of_mask(mask)))
    return _write_set(out, train, val, penn_fudan_config(configs))


def _penn_fudan_files(source: str) -> List[Tuple[str, str]]:
    masks = osp.join(source, 'PedMasks')
    for folder, suffix in (('PNGImages', '.png'), ('JPEGImages', '.jpg')):
        if osp.isdir(osp.join(source, folder)) and osp.isdir(masks):
            break
    else:
        raise FileNotFoundError(f"'{source}' has no PedMasks beside PNGImages "
                                '(or JPEGImages): is it PennFudanPed?')
    names = sorted(name[:-len('_mask.png')] for name in os.listdir(masks)
                   if name.endswith('_mask.png') and not name.startswith('.'))
    pictures = osp.join(source, folder)
    return [(f'{pictures}/{name}{suffix}', f'{masks}/{name}_mask.png')
            for name in names]


def boxes_of_mask(path: str) -> List[dict]:
    """COCO's annotations of the objects in a mask of their numbers.

    Args:
        path (str): PNG of one channel: 0 nobody, k the k-th person.

    Returns:
        list[dict]: ``bbox`` x, y, w, h and ``area``, in pixels.
    """
    with Image.open(path) as image:
        mask = np.array(image)
    found = []
    for number in np.unique(mask[mask > 0]):
        rows, columns = np.nonzero(mask == number)
        x, y = columns.min(), rows.min()
        found.append(
            dict(
                bbox=[
                    int(v)
                    for v in (x, y, columns.max() - x + 1, rows.max() - y + 1)
                ],
                area=len(rows)))
    return found


def _write_set(out: str, train: List[Labelled], val: List[Labelled],
               config: str) -> str:
    out = osp.expanduser(out)
    check_folder(osp.join(out, 'images'))
    for name, pictures in (('train', train), ('val', val)):
        content = coco_content(pictures)
        write_file(osp.join(out, f'{name}.json'), json.dumps(content).encode())
        for picture in pictures:
            shutil.copyfile(
                picture.path,
                osp.join(out, 'images', osp.basename(picture.path)))
    path = osp.join(out, 'config.py')
    write_file(path, config.encode())
    return path


def coco_content(pictures: List[Labelled]) -> dict:
    """A file of annotations; one category, 'person'."""
    images, annotations = [], []
    for number, (path, labels) in enumerate(pictures, 1):
        with Image.open(path) as image:
            width, height = image.size
        images.append(
            dict(
                id=number,
                file_name=osp.basename(path),
                height=height,
                width=width))
        annotations += [
            dict(
                label,
                id=len(annotations) + i,
                image_id=number,
                category_id=1,
                iscrowd=0) for i, label in enumerate(labels, 1)
        ]
    return dict(
        images=images,
        annotations=annotations,
        categories=[dict(id=1, name='person')])


def lsp_config(configs: str) -> str:
    """Config of 14 joints over the demo of pose, for minutes on a CPU."""
    info = {i: joint_info(name) for i, name in enumerate(LSP_JOINTS)}
    rows = ''.join(f'        {i}: {value!r},\n' for i, value in info.items())
    chains = [chain.split() for chain in LSP_CHAINS]
    pairs = [pair for chain in chains for pair in zip(chain, chain[1:])]
    links = ''.join(f'        {i}: dict(link={pair!r}),\n'
                    for i, pair in enumerate(pairs))
    sigmas = [LSP_SIGMAS[_kind(name)] for name in LSP_JOINTS]
    return f'''# 14 joints of Leeds Sports Pose, by a config of one's own
_base_ = {_base(configs, 'pose/coco/demo.py')!r}

metainfo = dict(
    dataset_name='lsp',
    keypoint_info={{
{rows}    }},
    skeleton_info={{
{links}    }},
    sigmas={sigmas})

model = dict(head=dict(out_channels={len(LSP_JOINTS)}))

data = dict(
    data_root='{{{{ fileDirname }}}}',
    data_prefix=dict(img='images/'),
    metainfo=metainfo)
train_dataloader = dict(dataset=dict(ann_file='train.json', **data))
val_dataloader = dict(dataset=dict(ann_file='val.json', **data))
test_dataloader = val_dataloader
# PCK: joints found within a tenth of the box's longer side
val_evaluator = [
    dict(type='KeypointMetric'),
    dict(type='PCKAccuracy', thr=0.1, norm_item='bbox'),
]
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=20, val_interval=20)
'''


def joint_info(name: str) -> dict:
    """What mmpose wants to know of one of the 14 joints.

    Example:
        >>> joint_info('left_hip')
        {'name': 'left_hip', 'swap': 'right_hip', 'type': 'lower'}
    """
    swap = {'left': 'right', 'right': 'left'}.get(name.split('_')[0])
    half = 'lower' if _kind(name) in LSP_LOWER else 'upper'
    return dict(
        name=name, swap=f'{swap}_{_kind(name)}' if swap else '', type=half)


def _kind(name: str) -> str:
    side, _, kind = name.partition('_')
    return kind if side in ('left', 'right') else name


def penn_fudan_config(configs: str) -> str:
    """Config of pedestrians over the demo of detection, as above."""
    return f'''# Penn-Fudan's pedestrians, by a config of one's own
_base_ = {_base(configs, 'detection/crowdhuman/demo.py')!r}

data = dict(
    type='CocoBoxesDataset',
    data_root='{{{{ fileDirname }}}}',
    data_prefix=dict(img='images/'),
    metainfo=dict(classes=('person', )))
train_dataloader = dict(dataset=dict(ann_file='train.json', **data))
val_dataloader = dict(dataset=dict(ann_file='val.json', **data))
test_dataloader = val_dataloader
val_evaluator = dict(_delete_=True, type='CocoBoxesMetric')
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=12, val_interval=12)
default_hooks = dict(
    checkpoint=dict(save_best='coco/bbox_mAP', rule='greater'))
'''


def _base(configs: str, name: str) -> str:
    path = osp.abspath(osp.join(osp.expanduser(configs), name))
    if not osp.isfile(path):
        raise FileNotFoundError(f"'{path}' does not exist: configs is to be "
                                "this repository's folder of that name")
    return path


WRITERS: Dict[str, Callable[..., str]] = dict(
    lsp=write_lsp, penn_fudan=write_penn_fudan)
