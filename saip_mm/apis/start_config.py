"""Writing the config of somebody's own pretraining, once it is sure to run."""
import os
import os.path as osp
import tempfile
from typing import Any, Dict, Optional

from mmengine.config import Config
from torch.utils.data import default_collate

from mmpretrain.registry import MODELS, TRANSFORMS
from ..datasets import PersonImages
from ..engine.config_doors import check_folder, expand_home
from ..engine.launch_options import tell
from ..weights import checkpoint_bytes, write_file
from ..weights.atomic import remove
from .config import load_config, read_config
from .start_expert import expert_place, expert_settings
from .start_plan import (BACKBONES, Machine, Plan, check_choice, counted,
                         make_plan, this_machine)
from .start_text import COPY, config_text
from .start_weights import Start, starting_weights, weights_place

NAME = 'pretrain.py'
# of the written config, by the name of the argument
PLACES = dict(
    epochs='train_cfg.max_epochs',
    batch_size='train_dataloader.batch_size',
    workers='train_dataloader.num_workers',
    size='size',
    seed='randomness.seed',
    init='model.encoder.backbone.init_cfg.checkpoint')
MODEL_NAMES = dict(starnet_s3='starnet_s3', tinyvit_5m='tiny_vit_5m_224')


def default_out(folder: str, backbone: str) -> str:
    """Folder of a training that was given none.

    Example:
        >>> default_out('data/persons/', 'vit_tiny')
        'work_dirs/persons_vit_tiny'
    """
    name = osp.basename(osp.abspath(expand_home(folder)))
    return f'work_dirs/{name or "pictures"}_{backbone}'


def write_config(folder: str,
                 out: Optional[str] = None,
                 backbone: str = 'vit_tiny',
                 processes: int = 1,
                 init: Optional[str] = None,
                 init_which: Optional[str] = None,
                 expert: Optional[str] = None,
                 seed: Optional[int] = None,
                 machine: Optional[Machine] = None,
                 quiet: bool = False,
                 **asked) -> str:
    """Write a config that pretrains a backbone on a folder of pictures.

    Nothing is written before a model of it was built and two pictures went
    through its views.

    Args:
        folder (str): Pictures of persons, sub-folders included; or an LMDB.
        out (str, optional): Folder to write ``pretrain.py`` to, new or empty.
            Defaults to :func:`default_out`.
        backbone (str): 'vit_tiny', 'starnet_s3' or 'tinyvit_5m'. Defaults to
            'vit_tiny'.
        processes (int): One a GPU. Defaults to 1.
        init (str, optional): Weights to continue from, see
            :func:`.start_weights.starting_weights`. Defaults to None.
        init_which (str, optional): 'student' or 'expert' of a file of both.
        expert (str, optional): A frozen model to learn from, see
            :func:`.start_expert.expert_place`. Defaults to None: an average.
        seed (int, optional): Of everything that is drawn. Defaults to 0.
        machine (Machine, optional): That it is going to run on. Defaults to
            this one.
        quiet (bool): Say nothing. Defaults to False.
        **asked: ``epochs``, ``batch_size``, ``size``, ``matching``,
            ``precision`` and ``workers`` of :func:`.start_plan.make_plan`.

    Returns:
        str: Path of the config.

    Raises:
        FileNotFoundError: If the folder or the weights are not there.
        OSError: If ``out`` cannot be written to.
        ValueError: If the folder holds no readable picture or too few, a
            setting is impossible, or the weights do not fit, the expert's
            included.
    """
    out = expand_home(out) or default_out(folder, backbone)
    check_out(out)
    check_choice('backbone', backbone, BACKBONES)
    machine = machine or this_machine()
    seed = check_seed(seed)
    for name, value in (('init', init), ('expert', expert)):
        if value == '':
            raise ValueError(f"{name} '': name a file or a model, or leave "
                             f'out --{name}')
    if expert is not None:
        asked['matching'] = by_channels(asked.get('matching'))
    pictures = open_pictures(folder)
    plan = make_plan(len(pictures), backbone, machine, processes, **asked)
    start = starting_weights(init, init_which, backbone) if init else None
    root = osp.abspath(expand_home(folder))
    frozen = expert_settings(expert) if expert else None
    text = config_text(plan, root, NAME, seed, start and start.settings, start
                       and start.copy and start.place, frozen)
    check_text(text, pictures)
    check_folder(out, 'out folder')
    path = osp.join(out, NAME)
    write_both(path, text, start)
    if not quiet:
        tell(summary(plan, path))
    return path


def write_both(path: str, text: str, start: Optional[Start]) -> None:
    """Write a config, and before it the copy of weights that it names.

    Raises:
        OSError: If one cannot be written; neither is there then.
    """
    copy = osp.join(osp.dirname(path), COPY)
    try:
        if start is not None and start.copy is not None:
            write_file(copy, checkpoint_bytes(start.copy))
        write_file(path, text.encode('utf-8'))
    except BaseException:
        remove(copy)
        raise


def by_channels(matching: Optional[str]) -> str:
    """How a frozen expert is matched: by its channels.

    Raises:
        ValueError: If it was asked for otherwise.
    """
    if matching not in (None, 'channels'):
        raise ValueError(
            f"--matching {matching} is for an average of the student; a "
            "frozen expert's own channels are learnt: leave it out")
    return 'channels'


def check_out(out: str) -> None:
    """Refuse a folder which is in use.

    Raises:
        ValueError: If it holds something, or its name cannot stand in a
            config.
    """
    if '"' in osp.abspath(out) or not osp.abspath(out).isprintable():
        raise ValueError(f'out folder {out!r}: the quotation mark " and '
                         'unprintable characters cannot stand in a config')
    path = osp.join(out, NAME)
    if osp.isfile(path):
        raise ValueError(
            f'{out} holds a training already: go on with it by --resume, '
            f'start from its config by --config {path}, or choose another '
            '--out')
    # of a start that was killed there may be the copy of weights
    if osp.isdir(out) and set(os.listdir(out)) - {COPY}:
        raise ValueError(f'out folder {out} is not empty, nothing in it is '
                         'written over: choose another --out')


def check_seed(seed: Optional[int]) -> int:
    """0 for None; what NumPy takes.

    Raises:
        ValueError: If it is no whole number in [0, 2^32).
    """
    if seed is None:
        return 0
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f'seed {seed!r}: a whole number from 0 to 2^32 - 1')
    return seed


def open_pictures(folder: str) -> PersonImages:
    """The pictures of a folder, one of which at least can be read.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it holds no picture, or none of those tried is one.
    """
    path = expand_home(folder)
    if osp.isfile(path):
        raise ValueError(f"'{folder}' is a file: name the folder of pictures")
    if not osp.isdir(path):
        raise FileNotFoundError(
            f"no folder of pictures '{folder}' in {os.getcwd()}")
    return PersonImages(path)


def check_text(text: str, pictures: PersonImages) -> None:
    """Build what a config describes and make its views of two pictures.

    Args:
        text (str): Of the config.
        pictures (PersonImages): Get its pipeline.

    Raises:
        ValueError: If something does not fit together.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = osp.join(folder, NAME)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        cfg = load_config(path)
    model = MODELS.build(cfg.model)
    pictures.pipeline = [
        TRANSFORMS.build(t) for t in cfg.train_dataloader.dataset.pipeline
    ]
    try:
        samples = [pictures[0], pictures[1]]
    except RuntimeError as error:  # most of them are broken
        raise ValueError(str(error)) from error
    model.data_preprocessor(default_collate(samples), True)


def summary(plan: Plan, path: str) -> str:
    """What is going to happen, in a few lines."""
    height, width = plan.size.value
    epochs = plan.epochs.value
    matching = dict(
        batch='matching within the batch',
        prototypes='matching by prototypes',
        channels='learning from a frozen expert')[plan.matching.value]
    return (f'{plan.images} pictures, {plan.backbone} at {height}x{width}, '
            f'{epochs} epoch{"s" * (epochs != 1)}, {counted(plan.steps)} of '
            f'{plan.batch_size.value} x {plan.processes}, {matching}\n'
            f'written to {path}, with the reasons: yours to change')


def check_same(path: str, asked: Dict[str, Any]) -> None:
    """Refuse settings which the config to go on with does not have.

    Args:
        path (str): Of a config that :func:`write_config` wrote, changed
            since or not.
        asked (dict): Arguments of :func:`write_config`, None where not
            given.

    Raises:
        ValueError: Naming the first that differs.
    """
    said = settings_of(read_config(path))
    for name, value in asked.items():
        if value is None or said.get(name) is None:
            continue
        if name == 'folder':
            value = osp.abspath(expand_home(value))
        elif name == 'init':
            value = weights_place(value)
        elif name == 'expert':
            value = expert_place(value)
        elif name == 'size':
            value = tuple(value)
        if value != said[name]:
            raise ValueError(
                f'{path} has {name} {said[name]}, asked for is {value}: '
                '--resume takes the file as it is, change it there, or choose '
                'another --out')


def settings_of(cfg: Config) -> Dict[str, Any]:
    """Arguments of :func:`write_config` by a config; None where it is silent.
    """
    said = {name: _at(cfg, place) for name, place in PLACES.items()}
    said['size'] = said['size'] and tuple(said['size'])
    said['init'] = cfg.get('init') or said['init']
    sources = _at(cfg, 'train_dataloader.dataset.sources') or [{}]
    said['folder'] = sources[0].get('data_root')
    model = _at(cfg, 'model.encoder.backbone.model_name')
    said['backbone'] = {
        v: k
        for k, v in MODEL_NAMES.items()
    }.get(model, 'vit_tiny')
    head = _at(cfg, 'model.heads.csm.type')
    said['matching'] = head and ('batch'
                                 if 'Instance' in head else 'prototypes')
    if _at(cfg, 'model.heads.csm.decoder.type') == 'AlignmentDecoder':
        said['matching'] = 'channels'
    said['expert'] = (
        _at(cfg, 'model.expert.checkpoint')
        or _at(cfg, 'model.expert.encoder.model_name') or 'an average')
    wrapper = _at(cfg, 'optim_wrapper.type')
    said['precision'] = wrapper and ('mixed'
                                     if 'Amp' in wrapper else 'float32')
    return said


def _at(cfg: Any, place: str) -> Any:
    for part in place.split('.'):
        cfg = cfg.get(part) if isinstance(cfg, (dict, Config)) else None
    return cfg
