import os

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from saip_mm.apis.encoders import ReadyEncoder
from saip_mm.apis.patterns import as_table, compare_patterns
from saip_mm.models.encoders import Encoder
from saip_mm.models.tokens import TokenDims, Tokens
from ..test_datasets._images import encode, photo
from ..test_models.tiny_saip import build


class MeanColours(Encoder):
    """Cells are the mean colours of 16x16 pixels: what it sees is known."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.AvgPool2d(16)
        self.weight = nn.Parameter(torch.ones(1))
        self.dims = TokenDims(3, 3, 3, 16)

    def forward(self, x, mask=None, tokens=('image', 'inner')):
        cells = self.backbone(x)
        return Tokens(None,
                      cells.flatten(2).transpose(1, 2), None,
                      tuple(cells.shape[-2:]))


def colours():
    return ReadyEncoder(MeanColours(), (0., ) * 3, (1., ) * 3, (64, 32),
                        'mean_colours_20260101-0123abcd')


@pytest.fixture
def pictures(tmp_path):
    """A red-and-blue person; a group of a red and a green one on grey."""
    person = np.zeros((128, 64, 3), np.uint8)
    person[:64, :, 0] = 200
    person[64:, :, 2] = 200
    group = np.full((128, 256, 3), 90, np.uint8)
    group[32:128, 32:64] = (200, 0, 0)
    group[32:128, 160:192] = (0, 200, 0)
    for name, image in dict(person=person, group=group).items():
        (tmp_path / f'{name}.png').write_bytes(encode(image, '.png'))
    return str(tmp_path / 'person.png'), str(tmp_path / 'group.png')


BOXES = [(32, 32, 64, 128), (160, 32, 192, 128)]


def test_scores_of_what_is_known(pictures, tmp_path):
    person, group = pictures
    out = tmp_path / 'made/fig.png'
    scores = compare_patterns([colours()],
                              out,
                              person,
                              group,
                              BOXES,
                              'similarity',
                              scales=(2, 1),
                              cells='inner',
                              group_side=256)
    assert list(scores) == ['mean_colours']  # without date and hash
    (found, ) = scores.values()
    assert found.across == pytest.approx(1, abs=0.05) or found.across is None
    # grey is between the colours, other persons are farthest
    assert found.from_rest == 1 and found.from_others == 1
    assert os.listdir(out.parent) == ['fig.png']
    sheet = cv2.imread(str(out))[..., ::-1].astype(int)
    # the second block: where the red person is, the map is yellow
    top = 16 + 2 * (384 + 4) + 12 + 16
    left = 384 + 4
    red, green = sheet[top + 120, left + 72], sheet[top + 120, left + 264]
    assert red[0] > 150 and red[2] < 100 and green[0] < 120
    below = top + 192 + 4  # the second person's row
    red, green = sheet[below + 120, left + 72], sheet[below + 120, left + 264]
    assert green[0] > 150 and red[0] < 120


def test_attention_is_scored_by_all_boxes(pictures, tmp_path):
    """Shares in the mean: bright grey gives more than red and green."""
    _, group = pictures
    (found, ) = compare_patterns([colours()],
                                 tmp_path / 'fig.png',
                                 group=group,
                                 boxes=BOXES,
                                 kind='attention',
                                 cells='inner',
                                 group_side=256).values()
    # <c, m> of a mean near (100, 99, 79): 268 * 90 = 24e3 of grey, 20e3 of
    # red, 20e3 of green
    assert found == (None, 0, None)


@pytest.mark.parametrize('kind, cells', [('similarity', 'inner'),
                                         ('attention', 'final')])
def test_any_backbones_side_by_side(kind, cells, tmp_path):
    for name, size in dict(p=(100, 50), g=(80, 160)).items():
        (tmp_path / f'{name}.png').write_bytes(encode(photo(*size), '.png'))
    models = {name: build(name) for name in ('vit', 'starnet')}
    models['again'] = models['vit']
    scores = compare_patterns(
        models,
        tmp_path / 'fig.png',
        str(tmp_path / 'p.png'),
        str(tmp_path / 'g.png'), [(0, 0, 90, 80), (60.5, 0, 160, 80)],
        kind,
        group_side=128,
        cells=cells)
    assert list(scores) == ['vit', 'starnet', 'again']
    for row in scores.values():
        assert row.across is not None and -1 <= row.across <= 1
        # the boxes leave nothing beside them
        assert (row.from_rest is None) == (kind == 'attention')
        assert (row.from_others is None) == (kind == 'attention')
    assert scores['vit'] == scores['again']
    sheet = cv2.imread(str(tmp_path / 'fig.png'))
    assert sheet.shape[1] == 4 * 388
    table = as_table(scores).splitlines()
    assert len(table) == 4 and table[1].startswith('vit ')
    assert len({len(line) for line in table}) == 1


def test_one_picture_is_enough(pictures, tmp_path):
    person, group = pictures
    kwargs = dict(cells='inner', group_side=256)
    (alone, ) = compare_patterns([colours()], tmp_path / 'a.png', person,
                                 **kwargs).values()
    assert alone.from_rest is None and alone.from_others is None
    (found, ) = compare_patterns([colours()],
                                 tmp_path / 'b.png',
                                 group=group,
                                 **kwargs).values()
    assert found == (None, None, None)
    assert cv2.imread(str(tmp_path / 'b.png')).shape[0] == 16 + 192 + 4 + 12
    names = compare_patterns([colours(), colours()], tmp_path / 'c.png',
                             person, group, **kwargs)
    assert list(names) == ['mean_colours', 'mean_colours 2']


@pytest.mark.parametrize('wrong, error, message', [
    (dict(person=None, group=None), ValueError, 'nothing to draw'),
    (dict(group=None), ValueError, 'boxes are of a group'),
    (dict(kind='gradient'), ValueError, "kind 'gradient' is unknown"),
    (dict(scales=(1, 0)), ValueError, 'scales must be positive'),
    (dict(group_side=8), ValueError, 'at least 32 pixels, got 8'),
    (dict(boxes=[(0, 0, 300, 9)]), ValueError,
     r'box \(0, 0, 300, 9\) does not lie in .*group.png, 256 wide and 128'),
    (dict(boxes=[(9, 0, 3, 9)]), ValueError, 'give x1 y1 x2 y2'),
    (dict(models=[]), ValueError, 'there is no backbone'),
    (dict(models=['none.pth']), FileNotFoundError, 'none.pth does not exist'),
    (dict(person='none.jpg'), FileNotFoundError, 'none.jpg'),
    (dict(cells='image'), ValueError, 'has no cells'),
    (dict(out='fig.text'), ValueError, 'fig.text is no picture file'),
])
def test_what_is_refused(pictures, tmp_path, wrong, error, message):
    person, group = pictures
    kwargs = dict(
        models=[colours()],
        out=tmp_path / 'fig.png',
        person=person,
        group=group,
        boxes=BOXES)
    with pytest.raises(error, match=message):
        compare_patterns(**{**kwargs, **wrong})
    assert not (tmp_path / 'fig.png').exists()


def test_a_broken_picture_is_named(pictures, tmp_path):
    (tmp_path / 'bad.jpg').write_text('text')
    with pytest.raises(OSError, match="cannot read picture '.*bad.jpg'"):
        compare_patterns([colours()], tmp_path / 'x.png',
                         str(tmp_path / 'bad.jpg'))
