"""Random files in the layouts of other projects, in their real shapes.

Names are written out here as those projects have them, not by the package.
"""
from functools import lru_cache

import timm
import torch

STARNET, TINYVIT = 'starnet_s3', 'tiny_vit_5m_224'
DIMS = dict(
    tiny=(192, 12, 768), base=(768, 12, 3072))  # width, blocks, feed-forward


def random(*shape):
    """One number, another at each call: costs no memory and no time."""
    return (0.02 * torch.randn(())).expand(*shape)


def transformer(draw, width, depth, hidden):
    """Patches and blocks of a plain transformer, as timm names them.

    ``draw`` makes a tensor of a shape.
    """
    weights = {
        'patch_embed.proj.weight': draw(width, 3, 16, 16),
        'patch_embed.proj.bias': draw(width)
    }
    layers = {
        'norm1': (width, ),
        'norm2': (width, ),
        'attn.qkv': (3 * width, width),
        'attn.proj': (width, width),
        'mlp.fc1': (hidden, width),
        'mlp.fc2': (width, hidden)
    }
    for block in range(depth):
        for name, shape in layers.items():
            weights[f'blocks.{block}.{name}.weight'] = draw(*shape)
            weights[f'blocks.{block}.{name}.bias'] = draw(shape[0])
    return weights


def vit(grid=(16, 8), prefix='', size='tiny', norm=True):
    """cls_token, pos_embed, blocks.0.attn.qkv ...: DINO, MAE, timm, SAIP."""
    width, depth, hidden = DIMS[size]
    weights = {
        'cls_token': random(1, 1, width),
        'pos_embed': random(1, 1 + grid[0] * grid[1], width),
        **transformer(random, width, depth, hidden)
    }
    if norm:
        weights['norm.weight'] = random(width)
        weights['norm.bias'] = random(width)
    return put(prefix, weights)


def put(prefix, weights):
    return {prefix + key: value for key, value in weights.items()}


def saip_release(prefix='module.backbone.', grid=(16, 8)):
    """One branch of SAIP's release: spec 7."""
    weights = vit(grid, prefix)
    weights[f'{prefix}inter_norm.weight'] = random(192)
    weights[f'{prefix}inter_norm.bias'] = random(192)
    start = prefix[:-len('backbone.')]
    for decoder in ('csm_decoder', 'csr_decoder', 'css_decoder'):
        weights[f'{start}{decoder}.mlp.0.weight'] = random(8, 192)
        weights[f'{start}{decoder}.blocks.0.norm1.weight'] = random(192)
    return weights


def dino_branch(prefix):
    weights = vit((14, 14), f'{prefix}backbone.')
    weights[f'{prefix}head.mlp.0.weight'] = random(8, 192)
    weights[f'{prefix}head.last_layer.weight_g'] = random(8, 1)
    weights[f'{prefix}head.last_layer.weight_v'] = random(8, 4)
    return weights


def mae(grid=(14, 14)):
    weights = vit(grid)
    weights['mask_token'] = random(1, 1, 8)
    weights['decoder_pos_embed'] = random(1, 4, 8)
    weights['decoder_embed.weight'] = random(8, 192)
    weights['decoder_blocks.0.norm1.weight'] = random(8)
    weights['decoder_pred.bias'] = random(8)
    return weights


def path():
    """PATH ViT-B: the class token's position apart (experts.md 1.2)."""
    weights = vit((14, 14), size='base')
    table = weights['pos_embed']
    weights['cls_token_pos_embed'] = table[:, :1].clone()
    weights['pos_embed'] = table[:, 1:].clone()
    return weights


@lru_cache
def timm_model(name):
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=1000).eval()
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if key.endswith('running_var'):
                value.uniform_(0.5, 1.5)
            elif value.is_floating_point():
                value.add_(0.02 * torch.randn_like(value))
    return model


def timm_weights(name):
    return dict(timm_model(name).state_dict())


def starnet_authors():
    """The official names with the norm behind the map, no classifier."""
    return {
        k: v
        for k, v in timm_weights('starnet_s3').items()
        if not k.startswith('head.')
    }


def tinyvit_official(head=True):
    """Microsoft's names, MobileSAM's and the authors' too."""
    weights = {}
    for key, value in timm_weights('tiny_vit_5m_224').items():
        key = key.replace('.conv.weight', '.c.weight')
        for stage in (1, 2, 3):
            key = key.replace(f'stages.{stage}.downsample',
                              f'layers.{stage - 1}.downsample')
        key = key.replace('stages.', 'layers.')
        key = key.replace('patch_embed.conv1.', 'patch_embed.seq.0.')
        key = key.replace('patch_embed.conv2.', 'patch_embed.seq.2.')
        key = key.replace('head.norm.', 'norm_head.')
        key = key.replace('head.fc.', 'head.')
        weights[key] = value
    for stage, blocks, cells in ((1, 2, 49), (2, 6, 196), (3, 2, 49)):
        for block in range(blocks):
            weights[f'layers.{stage}.blocks.{block}.attn.'
                    'attention_bias_idxs'] = torch.zeros(
                        cells, cells, dtype=torch.long)
    return {
        k: v
        for k, v in weights.items()
        if head or not k.startswith(('head.', 'norm_head.'))
    }


def tinyvit_authors():
    """MobileSAM's neck behind the 320 channels of the last stage."""
    weights = tinyvit_official()
    weights.update({
        'neck.0.weight': random(256, 320, 1, 1),
        'neck.1.weight': random(256),
        'neck.1.bias': random(256),
        'neck.2.weight': random(256, 256, 3, 3),
        'neck.3.weight': random(256),
        'neck.3.bias': random(256)
    })
    return weights


@lru_cache
def solider_swin():
    """mmpretrain's own names and the controllers: experts.md 2.1."""
    from mmpretrain.models.backbones import SwinTransformer
    model = SwinTransformer('tiny', out_indices=(0, 1, 2, 3))
    weights = dict(model.state_dict())
    for i, width in enumerate((192, 384, 768, 768)):
        for name in ('w', 'b'):
            weights[f'semantic_embed_{name}.{i}.weight'] = random(width, 2)
            weights[f'semantic_embed_{name}.{i}.bias'] = random(width)
    return weights


def both(student, teacher, **rest):
    return dict(student=student, teacher=teacher, epoch=3, **rest)


@lru_cache
def files():
    """Each layout: the file, what it is recognised as, what comes out."""
    release = saip_release
    return {
        'SAIP release': (both(release(), release('backbone.')), 'student',
                         dict(arch='deit-tiny', img_size=(256, 128))),
        'SAIP release, teacher alone':
        (dict(teacher=release('backbone.')), 'teacher', {}),
        'authors, downstream ViT': (dict(model=vit(prefix='image_encoder.')),
                                    None, dict(img_size=(256, 128))),
        'DINO': (both(dino_branch('module.'),
                      dino_branch('')), 'teacher', dict(img_size=(224, 224))),
        'SOLIDER ViT': (dict(
            teacher=put('backbone.', {
                **vit(), 'semantic_embed_w.0.weight':
                torch.ones(192, 2)
            })), 'teacher', {}),
        'DINO, backbone alone': (vit(
            (14, 14)), None, dict(img_size=(224, 224))),
        'MAE': (dict(model=mae()), None, dict(img_size=(224, 224))),
        'HAP': (dict(model=mae((16, 8))), None, dict(img_size=(256, 128))),
        'timm ViT': (timm_weights('vit_tiny_patch16_224'), None,
                     dict(arch='deit-tiny', img_size=(224, 224))),
        'PATH': (put('module.backbone_module.',
                     path()), None, dict(arch='base', img_size=(224, 224))),
        'StarNet official':
        (dict(state_dict=timm_weights(STARNET), epoch=300,
              arch='s3'), None, dict(model_name=STARNET)),
        'StarNet authors':
        (dict(model=put('backbone.', starnet_authors())), None,
         dict(model_name=STARNET, last_stride=1, last_norm=True)),
        'TinyViT timm':
        (timm_weights(TINYVIT), None, dict(model_name=TINYVIT)),
        'TinyViT official': (dict(model=tinyvit_official()), None,
                             dict(model_name=TINYVIT)),
        'TinyViT authors': (both(
            put('module.backbone.', {
                **tinyvit_authors(), 'csm_decoder.mlp.0.weight': torch.ones(1)
            }), {}), 'student',
                            dict(
                                model_name=TINYVIT,
                                last_stride=1,
                                neck_channels=256)),
        'SOLIDER Swin':
        (dict(teacher=put('backbone.', solider_swin())), 'teacher',
         dict(arch='tiny', out_indices=(0, 1, 2, 3)))
    }
