import json

import pytest

from saip_mm.datasets.fashion_taxonomy import (ATTRIBUTE_IDS, ATTRIBUTES,
                                               CATEGORIES, GROUPS,
                                               WITH_ATTRIBUTES,
                                               attribute_index)
from ..test_tasks.photographs import REAL

PUBLISHED = REAL / 'fashionpedia/category_attributes_descriptions.json'


def test_ids_and_places():
    """id = place, + 46 from 235 on, + 47 from 238 on."""
    assert [term.id for term in CATEGORIES] == list(range(46))
    assert len(ATTRIBUTES) == 294
    for place, attribute in enumerate(ATTRIBUTE_IDS.tolist()):
        gap = 0 if place < 235 else 46 if place < 238 else 47
        assert attribute == place + gap
        assert attribute_index(attribute) == place


@pytest.mark.parametrize('value', [-1, 235, 250, 280, 284, 341, None])
def test_ids_that_do_not_exist(value):
    with pytest.raises(ValueError, match=f'attribute id {value} does not ex'):
        attribute_index(value)


def test_groups():
    assert [len(group) for group in GROUPS.values()] == [13, 14, 19]
    assert len(WITH_ATTRIBUTES) == 18
    names = [term.name for term in CATEGORIES]
    assert [names[i] for i in sorted(WITH_ATTRIBUTES)[13:]
            ] == ['collar', 'lapel', 'sleeve', 'pocket', 'neckline']
    assert names[1] == 'top, t-shirt, sweatshirt'


def test_sizes_of_the_supercategories():
    counts = {}
    for term in ATTRIBUTES:
        counts[term.supercategory] = counts.get(term.supercategory, 0) + 1
    assert counts == {
        'nickname': 153,
        'silhouette': 25,
        'waistline': 7,
        'length': 15,
        'neckline type': 25,
        'opening type': 10,
        'non-textile material type': 10,
        'leather': 4,
        'textile finishing, manufacturing techniques': 21,
        'textile pattern': 18,
        'animal': 6
    }
    assert len({term.name for term in ATTRIBUTES}) == 294


@pytest.mark.skipif(not PUBLISHED.is_file(), reason='not there')
def test_as_published():
    published = json.loads(PUBLISHED.read_text())
    for terms, name in ((CATEGORIES, 'categories'), (ATTRIBUTES,
                                                     'attributes')):
        rows = [{
            key: row[key]
            for key in term._fields
        } for term, row in zip(terms, published[name])]
        assert [term._asdict() for term in terms] == rows
        assert len(terms) == len(published[name])
