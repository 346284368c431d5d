import cv2
import numpy as np
import pytest

from ..test_models.tiny_saip import saip_config


@pytest.fixture
def config(tmp_path):
    """A config file of a tiny SAIP over a folder of three pictures."""
    folder = tmp_path / 'persons'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        cv2.imwrite(
            str(folder / f'{i}.png'), rng.integers(0, 255, (80, 40, 3)))
    pipeline = [
        dict(type='DecodeImage'),
        dict(
            type='PersonCrops',
            size=(64, 32),
            num_locals=2,
            local_size=(32, 16),
            background_size=(64, 64))
    ]
    dataset = dict(
        type='PersonImages', sources=[str(folder)], pipeline=pipeline)
    path = tmp_path / 'tiny.py'
    path.write_text(
        "custom_imports = dict(imports=['saip_mm'])\n"
        "default_scope = 'mmpretrain'\n"
        "optim_wrapper = dict(type='TensorClipOptimWrapper', "
        "optimizer=dict(type='AdamW'), clip_grad=dict(max_norm=3.0))\n"
        f'model = {saip_config()!r}\n'
        f'train_dataloader = dict(dataset={dataset!r})\n')
    return path
