import pytest

from saip_mm.weights.saved_config import builds_known_classes, parse_config


@pytest.mark.parametrize('text, value', [
    ('a = 1\nb = dict(c=[(1, ), -2.5, None, True], d=dict())',
     dict(a=1, b=dict(c=[(1, ), -2.5, None, True], d={}))),
    ("a = {'x.y': 1, 2: dict(b='c')}", dict(a={
        'x.y': 1,
        2: dict(b='c')
    })),
    ("a = dict({'x.y': 1}, b=inf)", dict(a={
        'x.y': 1,
        'b': float('inf')
    })),
    ('', {}),
    ('import os', None),
    ('a = open("x")', None),
    ('a = dict(b=(lambda: 1)())', None),
    ('a = [x for x in (1, 2)]', None),
    ('a = b', None),
    ('a = ' + '[' * 500 + ']' * 500, None),
    ('a = 1 +', None),
    ('a.b = 1', None),
    (None, None),
    (b'a = 1', None),
])
def test_a_config_is_read_without_running_it(text, value):
    assert parse_config(text) == value


@pytest.mark.parametrize('text, value', [
    ('a = nan', 'nan'), ('a = -inf', float('-inf')), ('a = -(1)', -1),
    ('a = +1', 1), ('a = not 1', None), ('a = 1 + 2', None),
    ('a = dict([1], [2])', None), ('a = dict(**b)', None),
    ('a = list([1])', None), ('a = {**b}', None), ("a = f'{b}'", None),
    ("a = '{{ fileDirname }}'", None), ('a, b = 1, 2', None),
    ('a = b = 1', None), ('a += 1', None), ('a: int = 1', None),
    ("a = 'é\\n'", 'é\n'), ('a = ...', ...)])  # yapf: disable
def test_constants_alone_are_read(text, value):
    found = parse_config(text)
    if value == 'nan':
        assert found['a'] != found['a']
    else:
        assert found == (None if value is None else dict(a=value))


@pytest.mark.parametrize(
    'settings, known',
    [
        (dict(type='Resize'), True),
        (dict(type='mmdet.Resize'), True),
        (dict(type='saip_mm.PersonCrops'), True),
        (dict(type='torch.nn.Linear'), False),
        (dict(type='mmengine.load'), False),  # a function
        (dict(type='mmengine.fileio.Backend'), False),
        (dict(constructor='mmengine.LayerDecay'), True),
        (dict(constructor='os.System'), False),
        (dict(constructor='mmengine.run'), False),
        (dict(type='call', _scope_='subprocess'), False),
        (dict(type='A', _scope_='mmseg'), True),
        (dict(default_scope='mmpose'), True),
        (dict(default_scope='os'), False),
        (dict(default_scope=None, type='A', _scope_=None), True),
        (dict(_base_='x.py'), False),
        (dict(custom_imports=dict(imports=['saip_mm.tasks.pose'])), True),
        (dict(custom_imports=dict(imports='mmdet.models')), True),
        (dict(custom_imports=dict(imports=['saip_mm', 'evil'])), False),
        (dict(custom_imports=dict(imports='saip_mmx')), False),
        (dict(custom_imports=dict(imports=None)), True),
        (dict(custom_imports=None), True),
        (dict(a=[1, (dict(type='os.system'), )]), False),
        (dict(a=[1, (dict(type='mmcv.Resize'), )]), True),
        ('os.system', True),  # a value, and no type
        (dict(path='os.system'), True),
        (7, True),
    ])
def test_types_of_known_libraries_alone_are_built(settings, known):
    assert builds_known_classes(settings) is known
    assert builds_known_classes([dict(b=settings)]) is known
