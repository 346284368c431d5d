"""A SAIP small enough for a test, and batches of crops for it."""
import torch

import saip_mm.models  # noqa: F401
from mmpretrain.registry import MODELS

ARCH = dict(embed_dims=16, num_layers=3, num_heads=2, feedforward_channels=32)
VIT = dict(
    type='GridVisionTransformer', arch=ARCH, img_size=(64, 32), patch_size=16)
STARNET = dict(
    type='StrideMapBackbone',
    model_name='starnet_s3',
    base_dim=8,
    depths=(1, 1, 1, 1))
TINYVIT = dict(
    type='StrideMapBackbone',
    model_name='tiny_vit_5m_224',
    embed_dims=(8, 16, 32, 64),
    depths=(1, 1, 1, 1),
    num_heads=(1, 1, 2, 2))
BACKBONES = dict(vit=VIT, starnet=STARNET, tinyvit=TINYVIT)


def saip_config(backbone='vit', without=(), **kwargs):
    """Config of a tiny SAIP, by backbone name, less some heads."""
    decoder = dict(dims=16, depth=1, num_heads=2)
    heads = dict(
        csm=dict(
            type='CrossScaleMatchingHead',
            decoder=dict(
                type='ImageDecoder',
                hidden_dims=16,
                bottleneck_dims=8,
                num_prototypes=32)),
        csr=dict(type='CrossScaleReconstructionHead', decoder=decoder),
        css=dict(type='CrossScaleSearchHead', decoder=decoder))
    return dict(
        type='SAIP',
        encoder=dict(
            type='PersonEncoder', backbone=BACKBONES[backbone], patch_index=1),
        heads={
            k: v
            for k, v in heads.items() if k not in without
        },
        data_preprocessor=dict(
            scale_range=(0.5, 1.5), canvas=dict(size=(64, 64)))) | kwargs


def build(*args, **kwargs):
    """Build and initialise a tiny SAIP from seed 0."""
    torch.manual_seed(0)
    model = MODELS.build(saip_config(*args, **kwargs))
    model.init_weights()
    return model


def batch_of_crops(batch=4, num_scales=2, num_locals=2, seed=0):
    """A collated batch as the workers give it."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {'anchor': (64, 32)}
    sizes.update({f'scale_{i + 1}': (64, 32) for i in range(num_scales)})
    sizes.update({f'local_{i + 1}': (32, 16) for i in range(num_locals)})
    sizes['background'] = (64, 64)
    return dict(
        inputs={
            name:
            torch.randint(
                0,
                256, (batch, 3, *size),
                dtype=torch.uint8,
                generator=generator)
            for name, size in sizes.items()
        })


def views_of(model, **kwargs):
    """Views of a batch of crops, as the model's preprocessor makes them."""
    return model.data_preprocessor(batch_of_crops(**kwargs), True)['views']


def total(losses):
    """What is trained: the sum of the terms."""
    return sum(v for k, v in losses.items() if 'loss' in k)
