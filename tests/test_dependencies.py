import sys
from types import SimpleNamespace

import pytest

from saip_mm import dependencies
from saip_mm.dependencies import check_dependencies, check_version
from .test_core_imports import run_python

WITHOUT_MMCV = '''
import sys
from importlib.abc import MetaPathFinder
class Block(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == 'mmcv':
            raise ModuleNotFoundError('No module', name='mmcv')
sys.meta_path.insert(0, Block())
import saip_mm
'''


@pytest.mark.slow
def test_missing_library_is_named_with_a_remedy():
    done = run_python(WITHOUT_MMCV)
    assert 'ImportError: saip_mm needs mmcv>=2.0.0,<3.0.0' in done.stderr
    assert 'pip install "onedl-mmcv' in done.stderr


@pytest.mark.parametrize('name, found', [
    ('mmengine', '0.8.3'),
    ('mmengine', '0.10.7'),
    ('mmengine', '0.10.12'),
    ('mmcv', '2.0.0'),
    ('mmcv', '2.2.0'),
    ('mmcv', '2.3.6'),
    ('mmpretrain', '1.0.0'),
    ('mmpretrain', '1.2.0'),
    ('mmpretrain', '1.3.6'),
])
def test_official_and_onedl_versions_pass(name, found):
    check_version(name, found)


@pytest.mark.parametrize('name, found', [
    ('mmengine', '0.7.4'),
    ('mmcv', '1.7.2'),
    ('mmcv', '2.0.0rc4'),
    ('mmcv', '3.0.0'),
    ('mmpretrain', '0.25.0'),
])
def test_version_error_says_found_wanted_remedy(name, found):
    with pytest.raises(ImportError) as error:
        check_version(name, found)
    message = str(error.value)
    assert f'found {name} {found}' in message
    assert f'{name}>=' in message and 'pip install' in message


def test_limits_are_included_below_and_excluded_above():
    for name, (lowest, limit) in dependencies.SUPPORTED.items():
        check_version(name, lowest)
        with pytest.raises(ImportError, match=f'found {name} {limit}'):
            check_version(name, limit)


def test_libraries_are_imported_in_their_order_and_looked_at(monkeypatch):
    asked = []

    def imported(name):
        asked.append(name)
        version = '1.7.2' if name == 'mmcv' else '1.0.0rc1'
        return SimpleNamespace(__version__=version.replace('1.0.0', '0.9.0'))

    monkeypatch.setattr(dependencies, 'import_module', imported)
    with pytest.raises(ImportError, match='found mmcv 1.7.2'):
        check_dependencies()
    assert asked == ['mmengine', 'mmcv']


def test_a_need_of_the_library_itself_is_passed_on(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmengine', None)
    with pytest.raises(ImportError, match='needs mmengine>=0.8.3,<1.0.0, wh'):
        check_dependencies()

    def broken(name):
        raise ModuleNotFoundError("No module named 'addict'", name='addict')

    monkeypatch.setattr(dependencies, 'import_module', broken)
    with pytest.raises(ModuleNotFoundError, match="^No module named 'addict'"):
        check_dependencies()
