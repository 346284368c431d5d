"""Our models among mmpretrain's: ``get_model``, ``list_models``."""
import os.path as osp

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from mmpretrain.apis import ModelHub
from .model_index import INDEX, ModelRow, shipped_models, shipped_root
from .read import meta_of, weights_of
from .zoo import SCHEME

# behind a name: place the weights in the model of its config
WHOLE_MODEL = '#model'


def register_models() -> None:
    """Make mmpretrain know the models of ``model-index.yml``.

    ``get_model(name, pretrained=True)`` then goes through the zoo, whether
    there are weights or not: the zoo says what to do about it.
    """
    names = {name.lower() for name in shipped_models()}
    if not names or names & set(ModelHub._models_dict):
        return
    root = shipped_root()
    try:
        ModelHub.register_model_index(osp.join(root, INDEX), root)
    except ValueError as error:  # another package has the same name
        print_log(f'Not all models are registered: {error}', 'current')
    for name in shipped_models():  # the hub has no setter, and copies on get
        if name.lower() in ModelHub._models_dict:
            entry = ModelHub._models_dict[name.lower()]
            entry.weights = f'{SCHEME}{name}{WHOLE_MODEL}'


def in_whole_model(checkpoint: dict, row: ModelRow) -> dict:
    """Put a bare backbone under the names of its config's model.

    ``get_model`` loads into the whole model and only warns of names that do
    not fit: a backbone would leave it at its random start.

    Args:
        checkpoint (dict): As read; weights of a whole model stay.
        row (ModelRow): With its config.

    Returns:
        dict: With the backbone under ``encoder.backbone.`` in pretraining,
        else under ``backbone.``, and the grid of its positions beside it.

    Raises:
        ValueError: If the model has no config.
    """
    if not row.config:
        raise ValueError(f'{row.name} has no config, so its model is not '
                         'known')
    model = Config.fromfile(row.config, import_custom_modules=False).model
    inner = model.get('encoder') or model
    prefix = 'encoder.backbone.' if 'encoder' in model else 'backbone.'
    weights = weights_of(checkpoint)
    if any(key.startswith(prefix) for key in weights):
        return checkpoint
    state = {prefix + key: value for key, value in weights.items()}
    grid = meta_of(checkpoint).get('position_grid')
    if grid and inner.backbone.type.endswith('GridVisionTransformer'):
        state[f'{prefix}pos_grid'] = torch.tensor(grid)
    return dict(checkpoint, state_dict=state)
