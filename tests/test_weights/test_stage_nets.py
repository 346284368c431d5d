import pytest
import timm

from saip_mm.weights.stage_nets import (FAMILIES, STARNETS, TINY_VITS,
                                        family_arguments, official_name,
                                        own_name, shapes_of, timm_name)


@pytest.mark.parametrize('name', [
    'starnet_s3', 'starnet_s050', 'tiny_vit_5m_224',
    pytest.param('starnet_s1', marks=pytest.mark.slow),
    pytest.param('starnet_s2', marks=pytest.mark.slow),
    pytest.param('starnet_s4', marks=pytest.mark.slow),
    pytest.param('starnet_s100', marks=pytest.mark.slow),
    pytest.param('starnet_s150', marks=pytest.mark.slow),
    pytest.param('tiny_vit_11m_224', marks=pytest.mark.slow),
    pytest.param('tiny_vit_21m_384', marks=pytest.mark.slow)
])
def test_shapes_are_timms(name):
    """Less the classifier and the norm in front of it."""
    family = 'starnet' if name in STARNETS else 'tiny_vit'
    arguments = {**STARNETS, **TINY_VITS}[name]
    found = shapes_of(timm.create_model(name, num_classes=0).state_dict())
    norm = FAMILIES[family].norm
    expected = {k: v for k, v in found.items() if not k.startswith(norm)}
    assert dict(FAMILIES[family].shapes(*arguments)) == expected
    assert family_arguments(family, found) == dict(model_name=name)


def test_another_width_and_depth_are_arguments():
    shapes = FAMILIES['starnet'].shapes(8, (1, 1, 1, 1), 4)
    assert family_arguments('starnet', shapes) == dict(
        model_name='starnet_s3', base_dim=8, depths=(1, 1, 1, 1))
    shapes.pop('stages.0.0.bn.weight')
    assert family_arguments('starnet', shapes) is None


@pytest.mark.parametrize('family', FAMILIES)
def test_names_go_there_and_back(family):
    known = FAMILIES[family]
    for variant in known.variants.values():
        for key in known.shapes(*variant):
            assert timm_name(own_name(key)) == key
    assert timm_name('neck.0.weight') is None


def test_official_names_are_unique():
    shapes = FAMILIES['tiny_vit'].shapes(*TINY_VITS['tiny_vit_5m_224'])
    assert len({official_name(key) for key in shapes}) == len(shapes)
