"""What is compared: a pretraining each, of the same size and budget."""
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

BACKBONES = ('vit_tiny', 'starnet_s3', 'tinyvit_5m')
TITLES = dict(
    vit_tiny='ViT-Tiny',
    starnet_s3='StarNet-S3',
    tinyvit_5m='TinyViT-5M',
    starnet_s4='StarNet-S4')
EXPERT = ('expert', 'starnet_s4')  # of SAIP*
_SAIP = dict(
    vit_tiny='saip/demo.py',
    starnet_s3='saip/demo_starnet_s3.py',
    tinyvit_5m='saip/demo_tinyvit_5m.py')
_OBJECTIVES = ('csm', 'csr', 'css')


class Row(NamedTuple):
    """A pretraining method.

    Attributes:
        title (str): As in the paper's tables.
        configs (dict[str, str]): Shipped config of each backbone that the
            method has; empty for none.
        encoder (dict): Changes to ``model.encoder``.
        heads (dict): Changes to ``model.heads``: None leaves one out.
        views (dict): Changes to ``model.data_preprocessor``.
        expert (tuple[str, str], optional): Row and backbone that are trained
            before, and frozen are this one's expert. Defaults to None: the
            config's own.
    """
    title: str
    configs: Dict[str, str]
    encoder: dict = {}
    heads: Dict[str, Optional[dict]] = {}
    views: dict = {}
    expert: Optional[Tuple[str, str]] = None


def _each(method: str) -> Dict[str, str]:
    """Its config here for each backbone."""
    return {b: f'evidence/{method}_{b}.py' for b in BACKBONES}


def _saip(*objectives: str) -> Row:
    """SAIP with some of its objectives, a row of the paper's Table 4."""
    left_out = {o: None for o in _OBJECTIVES if o not in objectives}
    names = ' + '.join(o.upper() for o in objectives)
    row = Row(f'SAIP: {names}' if left_out else 'SAIP', _SAIP, heads=left_out)
    if 'csm' in objectives:
        return row
    # Without matching the patch tokens alone train the encoder, so they are
    # its last ones, as in configs/saip/ablations. Of a last map, stride 32,
    # a person 48 wide has no whole number.
    return row._replace(
        configs=dict(vit_tiny=_SAIP['vit_tiny']), encoder=dict(patch_index=-1))


ROWS: Dict[str, Row] = dict(
    none=Row('none', {}),
    dino=Row('DINO', _each('dino')),
    mae=Row('MAE', dict(vit_tiny='mae/demo.py')),
    mae_dino=Row('MAE+DINO', dict(vit_tiny='mae_dino/demo.py')),
    hap=Row('HAP', dict(vit_tiny='hap/demo.py')),  # blocks: no keypoints
    solider=Row('SOLIDER', _each('solider')),
    one_scale=_saip('csm')._replace(  # a control: what do scales add?
        title='CSM, one scale',
        views=dict(scale_range=(1., 1.))),
    csm=_saip('csm'),
    csr=_saip('csr'),
    css=_saip('css'),
    csm_csr=_saip('csm', 'csr'),
    csm_css=_saip('csm', 'css'),
    saip=_saip(*_OBJECTIVES),
    saip_star=Row('SAIP*', _SAIP, expert=EXPERT))
# with those that a row needs, and nobody asks for
PRETRAININGS: Dict[str, Row] = dict(
    ROWS,
    expert=Row("SAIP, SAIP*'s expert",
               dict(starnet_s4='evidence/saip_starnet_s4.py')))


def rows_named(
        names: Optional[Sequence[str]] = None,
        backbones: Sequence[str] = BACKBONES[:2]) -> List[Tuple[str, str]]:
    """Pairs of a row and a backbone, in the table's order.

    Args:
        names (sequence[str], optional): Of ``ROWS``. Defaults to all.
        backbones (sequence[str]): Of ``BACKBONES``. Defaults to ViT-Tiny and
            StarNet-S3.

    Raises:
        ValueError: If there is no such row or backbone, or a row that is
            named has none of these backbones.

    Example:
        >>> rows_named(['mae', 'none'])
        [('none', 'vit_tiny'), ('none', 'starnet_s3'), ('mae', 'vit_tiny')]
    """
    wanted = list(ROWS) if names is None else names
    for what, given, known in (('row', wanted, ROWS), ('backbone', backbones,
                                                       BACKBONES)):
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ValueError(f'no {what} {unknown[0]!r}: there are '
                             f'{", ".join(known)}')
    for name in names or ():
        has = ROWS[name].configs
        if has and not set(has) & set(backbones):
            raise ValueError(f'row {name!r} is of {", ".join(has)}, not of '
                             f'{", ".join(backbones)}: name another backbone, '
                             'or leave out the row')
    return [(name, backbone) for name, row in ROWS.items() if name in wanted
            for backbone in backbones
            if backbone in row.configs or not row.configs]
