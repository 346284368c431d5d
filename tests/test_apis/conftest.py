import cv2
import numpy as np
import pytest
import torch

from ..test_models.tiny_saip import build, saip_config

STATISTICS = dict(mean=[1., 2., 3.], std=[4., 5., 6.])


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


def settings(size):
    return ("train_dataloader = dict(dataset=dict(pipeline=[dict("
            f"type='PersonCrops', size={size})]))\n"
            'model = dict(encoder=dict(patch_index=1))\n')


def shaken(model):
    """Norms that are not as they start, and BatchNorm's statistics."""
    generator = torch.Generator().manual_seed(1)
    for name, value in model.state_dict().items():
        if value.is_floating_point() and value.ndim == 1:
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return model


def trained_file(folder, backbone='vit'):
    """A training checkpoint of a tiny SAIP, and the model.

    Its expert is not its student, and both have learnt their norms.
    """
    model = shaken(build(backbone)).train(False)
    with torch.no_grad():
        for value in model.expert.encoder.parameters():
            value.mul_(1.1)
    meta = dict(
        cfg=settings((96, 48)),
        encoder=dict(
            backbone=dict(model.encoder.backbone.options), **STATISTICS))
    path = folder / 'epoch_1.pth'
    torch.save(dict(meta=meta, state_dict=model.state_dict()), path)
    return str(path), model


@pytest.fixture
def vit_file(tmp_path):
    return trained_file(tmp_path)
