import pytest
from mmengine.config import Config

from mmpretrain.registry import MODELS
from saip_mm.apis.config import read_config
from saip_mm.apis.evidence import ROWS, Budget, market_data, rows_named
from saip_mm.apis.evidence.rows import BACKBONES, EXPERT, PRETRAININGS
from saip_mm.apis.evidence.settings import pretraining_settings
from .persons import write_market


def test_each_row_of_each_table_is_there_once():
    titles = [row.title for row in ROWS.values()]
    assert len(set(titles)) == len(titles)
    objectives = {
        frozenset({'csm', 'csr', 'css'} - set(row.heads))
        for row in ROWS.values() if row.title.startswith('SAIP')
    }
    assert len(objectives) == 6  # of the paper's Table 4


@pytest.mark.parametrize('name, backbone',
                         [*rows_named(None, BACKBONES), EXPERT])
def test_its_config_is_of_one_size_and_has_what_is_left_out(name, backbone):
    row = PRETRAININGS[name]
    if not row.configs:
        return
    cfg = read_config(f'saip_mm::{row.configs[backbone]}')
    assert tuple(cfg.train_dataloader.dataset.pipeline[-1].size) == (96, 48)
    assert set(row.encoder) <= set(cfg.model.encoder)
    assert set(row.heads) < set(cfg.model.heads)
    assert set(row.views) <= set(cfg.model.data_preprocessor)


@pytest.mark.parametrize('names, backbones, message', [
    (['saip', 'hat'], ['vit_tiny'], "no row 'hat': there are none, dino"),
    (['expert'], ['vit_tiny'], "no row 'expert'"),
    (['saip'], ['resnet'], "no backbone 'resnet': there are vit_tiny"),
    (['none', 'mae'], ['starnet_s3'], "row 'mae' is of vit_tiny, not of star"),
    (['csr'], ['starnet_s3'], "row 'csr' is of vit_tiny, not of starnet_s3"),
])
def test_unknown_ones_are_refused(names, backbones, message):
    with pytest.raises(ValueError, match=message):
        rows_named(names, backbones)


@pytest.fixture
def model_of(tmp_path):
    """What builds the model's config of a row and a backbone."""
    data = market_data(str(write_market(tmp_path / 'reid')))

    def read(name, backbone):
        settings = pretraining_settings(name, backbone, data, Budget())
        path = tmp_path / f'{name}.py'
        path.write_text(Config(settings).pretty_text)
        return read_config(str(path)).model

    return read


# SAIP* is left out: its expert is a file
@pytest.mark.parametrize('name, backbone',
                         [(n, b) for n, b in rows_named(None, BACKBONES)
                          if ROWS[n].configs and not ROWS[n].expert])
def test_each_row_trains_the_whole_backbone(name, backbone, model_of):
    """Once CSR and CSS alone left ViT-Tiny's blocks 8 to 12 at random."""
    model = MODELS.build(model_of(name, backbone))
    left = [n for n in model.untrained if n.startswith('backbone.')]
    assert set(left) <= {'backbone.ln1.weight', 'backbone.ln1.bias'}


@pytest.mark.parametrize('backbone', BACKBONES)
def test_one_scale_is_csm_less_its_scales(backbone, model_of):
    one, several = (model_of(n, backbone) for n in ('one_scale', 'csm'))
    assert several.data_preprocessor.pop('scale_range')[0] < 1
    assert tuple(one.data_preprocessor.pop('scale_range')) == (1, 1)
    assert one == several
