"""Files of experts as others publish them, small ones of random numbers."""
import torch

from .test_weights.layouts import transformer


def path_weights(width=64, depth=12, hidden=128, grid=(14, 14), seed=0):
    """PATH's grammar (spec 1.2): the class token's position stands apart."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return 0.2 * torch.randn(*shape, generator=generator)

    weights = {
        'cls_token': draw(1, 1, width),
        'cls_token_pos_embed': draw(1, 1, width),
        'pos_embed': draw(1, grid[0] * grid[1], width),
        **transformer(draw, width, depth, hidden)
    }
    weights['norm.weight'] = 1 + draw(width)
    weights['norm.bias'] = draw(width)
    return weights


def joined(weights):
    """The table as PATH's conversion for downstream use writes it."""
    weights = dict(weights)
    own = weights.pop('cls_token_pos_embed')
    weights['pos_embed'] = torch.cat((own, weights['pos_embed']), 1)
    return weights


def save_path_file(path, prefix='module.backbone_module.', **kwargs):
    """Write such a file; its path as text."""
    weights = path_weights(**kwargs)
    torch.save(
        dict(state_dict={
            prefix + k: v
            for k, v in weights.items()
        }), path)
    return str(path)
