"""What a data set's keypoints are called, mirrored and judged by."""
import os
import os.path as osp
from typing import Any, Dict, List

import numpy as np
from mmengine.config import Config

# where mmpose looks for its own files of metainfo, whatever the folder
SHIPPED = 'configs/_base_/datasets'
KEYS = ('dataset_name', 'keypoint_info', 'sigmas')


def complete_metainfo(metainfo: dict) -> dict:
    """Check a data set's labels and fill in what may be left out.

    Args:
        metainfo (dict): As in mmpose. Needed: ``dataset_name``,
            ``keypoint_info`` (by number from 0 on: ``name``; optional
            ``swap``, the name it has in a mirror, ``type``, ``'upper'`` or
            ``'lower'``, and ``color``) and ``sigmas``, one a keypoint.
            Optional: ``skeleton_info`` (lines to draw: ``link`` of two names,
            ``color``), ``joint_weights`` (default: 1). Or only
            ``from_file``: a file, from the current folder on, with these as
            ``dataset_info``.

    Returns:
        dict: For mmpose's ``parse_pose_metainfo``.

    Raises:
        ValueError: If a key is missing, or a value does not fit the others;
            names the key.
        FileNotFoundError: If there is no such file.
    """
    source = 'metainfo'
    if 'from_file' in metainfo:
        if len(metainfo) > 1:
            others = ', '.join(key for key in metainfo if key != 'from_file')
            raise ValueError(
                f'metainfo has from_file and {others}: give the file or the '
                'keys (_delete_=True drops what a base config says)')
        path = osp.expanduser(metainfo['from_file'])
        if not osp.isfile(path) and osp.dirname(path) == SHIPPED:
            return metainfo  # one that mmpose ships
        metainfo, source = _read(path), f'dataset_info of {path}'
    for key in KEYS:
        if key not in metainfo:
            raise ValueError(
                f"{source} has no '{key}': labels of one's own need "
                f'{", ".join(KEYS)} (configs/pose/own has an example)')
    names = _check_keypoints(metainfo['keypoint_info'], source)
    links = metainfo.get('skeleton_info') or {}
    _check_links(links, names, source)
    weights = metainfo.get('joint_weights')
    if weights is None:
        weights = [1.] * len(names)
    _check_numbers(weights, len(names), f'{source}.joint_weights')
    _check_numbers(metainfo['sigmas'], len(names), f'{source}.sigmas')
    if min(metainfo['sigmas']) == 0:
        raise ValueError(
            f'{source}.sigmas has a 0: they say how far labels of a keypoint '
            'scatter, as a share of the person (COCO: 0.025 for eyes, 0.107 '
            'for hips)')
    return dict(metainfo, skeleton_info=links, joint_weights=weights)


def unswapped_pairs(metainfo: dict) -> List[str]:
    """Names of a left and a right keypoint that mirroring would not swap.

    Args:
        metainfo (dict): As mmpose has parsed it.

    Returns:
        list[str]: As ``'left_hip and right_hip'``.
    """
    ids, flipped = metainfo['keypoint_name2id'], metainfo['flip_indices']
    return [
        f'{name} and {name.replace("left", "right")}'
        for name, number in ids.items() if 'left' in name
        and name.replace('left', 'right') in ids and flipped[number] == number
    ]


def _read(path: str) -> dict:
    if not osp.isfile(path):
        raise FileNotFoundError(
            f'metainfo.from_file: there is no {path} in {os.getcwd()}; in a '
            "config, '{{fileDirname}}/labels.py' is the file beside it")
    labels = Config.fromfile(path).get('dataset_info')
    if not isinstance(labels, dict):
        raise ValueError(f'metainfo.from_file: {path} has no dict '
                         'dataset_info')
    return labels


def _check_keypoints(keypoints: Dict[int, dict], source: str) -> List[str]:
    source = f'{source}.keypoint_info'
    if not isinstance(keypoints,
                      dict) or not keypoints or list(keypoints) != list(
                          range(len(keypoints))):
        found = list(keypoints) if isinstance(keypoints, dict) else keypoints
        raise ValueError(
            f'{source} must be a dict of keypoints by number, 0, 1, 2 and so '
            f'on in this order; it has {found}')
    names = []
    for number, keypoint in keypoints.items():
        name = keypoint.get('name') if isinstance(keypoint, dict) else None
        if not isinstance(name, str) or not name:
            raise ValueError(f'{source}[{number}] is {keypoint}: a dict with '
                             "a 'name' is needed")
        if name in names:
            raise ValueError(f'{source}[{number}] has the name {name!r} of '
                             f'{names.index(name)}: each needs its own')
        names.append(name)
    _check_swaps(keypoints, names, source)
    for number, keypoint in keypoints.items():
        where = f'{source}[{number}]'
        if keypoint.get('type', '') not in ('', 'upper', 'lower'):
            raise ValueError(f"{where}.type is {keypoint['type']!r}: 'upper' "
                             "or 'lower' half of the body, or none")
        _check_color(keypoint.get('color'), where)
    return names


def _check_swaps(keypoints: Dict[int, dict], names: List[str],
                 source: str) -> None:
    swaps = [keypoint.get('swap', '') for keypoint in keypoints.values()]
    for number, (name, swap) in enumerate(zip(names, swaps)):
        if swap not in ('', *names):
            raise ValueError(
                f'{source}[{number}].swap of {name!r} is {swap!r}, which is '
                f'the name of no keypoint; they are {", ".join(names)}')
    for number, (name, swap) in enumerate(zip(names, swaps)):
        back = name if swap in ('', name) else swaps[names.index(swap)]
        if back != name:
            raise ValueError(
                f'{source}[{number}].swap of {name!r} is {swap!r}, but that '
                f'of {swap!r} is {back!r}: a pair names each other')


def _check_links(links: Dict[int, dict], names: List[str],
                 source: str) -> None:
    source = f'{source}.skeleton_info'
    if not isinstance(links, dict):
        raise ValueError(f'{source} must be a dict, 0: dict(link=(name, name))'
                         f' and so on; it is {links}')
    for number, line in links.items():
        link = line.get('link') if isinstance(line, dict) else None
        if not isinstance(link, (list, tuple)) or len(link) != 2 or not all(
                name in names for name in link):
            raise ValueError(
                f'{source}[{number}].link is {link}: two names of keypoints '
                f'are needed, of {", ".join(names)}')
        _check_color(line.get('color'), f'{source}[{number}]')


def _check_color(color: Any, where: str) -> None:
    if color is not None and (not _are_numbers(color, 3)
                              or not all(0 <= c <= 255 for c in color)):
        raise ValueError(f'{where}.color is {color}: three numbers from 0 to '
                         '255 are needed')


def _check_numbers(values: Any, count: int, key: str) -> None:
    if not _are_numbers(values, count):
        size = f'{len(values)} values' if hasattr(values,
                                                  '__len__') else values
        raise ValueError(f'{key} has {size}: {count} numbers are needed, one '
                         'a keypoint')
    if min(values) < 0:
        raise ValueError(f'{key} has {min(values)}: none may be negative')


def _are_numbers(values: Any, count: int) -> bool:
    if isinstance(values, str) or not hasattr(values, '__len__'):
        return False
    try:
        values = np.asarray(values)
    except ValueError:  # ragged
        return False
    return (values.shape == (count, ) and values.dtype.kind in 'iuf'
            and bool(np.isfinite(values).all()))
