import configparser
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = {'pose', 'det', 'seg', 'text', 'export', 'shards', 'tests', 'all'}
PYTHONS = ('3.10', '3.11', '3.12')
# in pieces, so that this file does not name them itself
FORBIDDEN = re.compile('|'.join([
    'download.open' + 'mmlab.com', 'files.python' + 'hosted',
    'deb.deb' + 'ian', r'/ro' + 'ot/', r'/ho' + r'me/\w+/', '/wo' + 'rk/',
    '/fa' + 'rm/', r'/opt/(pypi|whee' + 'ls)'
]))


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / 'setup.cfg')
    return parser


def lines(text: str) -> list:
    """Without blanks, comments and options of pip."""
    stripped = [line.split('#')[0].strip() for line in text.splitlines()]
    return [line for line in stripped if line and not line.startswith('-')]


def tracked_files() -> list:
    done = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'],
                          cwd=ROOT,
                          capture_output=True,
                          text=True)
    if done.returncode:
        pytest.skip('not a git checkout')
    return [ROOT / name for name in done.stdout.splitlines()]


def listed_models() -> list:
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    return [(path, model) for path in index['Import']
            for model in yaml.safe_load((ROOT / path).read_text())['Models']]


def test_extras_parse():
    extras = setup_cfg()['options.extras_require']
    assert EXTRAS <= set(extras)
    for text in extras.values():
        for line in lines(text):
            Requirement(line)


def test_all_names_every_other_extra():
    extras = dict(setup_cfg()['options.extras_require'])
    everything = Requirement(lines(extras.pop('all'))[0])
    assert everything.name == 'saip_mm'
    assert everything.extras == set(extras)


def test_install_leaves_the_choice_of_openmmlab_packages():
    required = {
        Requirement(line).name
        for line in lines(setup_cfg()['options']['install_requires'])
    }
    assert not [
        name for name in required
        if re.match('(onedl-)?mm(engine|cv|pretrain)|opencv', name)
    ]


@pytest.mark.parametrize(
    'path',
    sorted((ROOT / 'requirements').glob('*.txt')),
    ids=lambda p: p.name)
def test_requirement_files_pin(path):
    """Each name once for each Python, in one version."""
    for python in PYTHONS:
        names = []
        for requirement in pinned(path, python):
            assert [s.operator for s in requirement.specifier] == ['==']
            names.append(requirement.name.lower())
        assert names and len(names) == len(set(names))


def pinned(path: Path, python: str) -> list:
    """Requirements of a file that count for a Python."""
    found = [Requirement(line) for line in lines(path.read_text())]
    return [
        requirement for requirement in found if not requirement.marker
        or requirement.marker.evaluate({'python_version': python})
    ]


@pytest.mark.parametrize('python', PYTHONS)
def test_pins_agree_and_lie_in_the_package_ranges(python):
    pins = {}
    for path in (ROOT / 'requirements').glob('*.txt'):
        for requirement in pinned(path, python):
            name = requirement.name.lower().replace('_', '-')
            version = str(requirement.specifier)[2:]
            assert pins.setdefault(name, version) == version, name
    cfg = setup_cfg()
    texts = list(cfg['options.extras_require'].values())
    for text in texts + [cfg['options']['install_requires']]:
        for line in lines(text):
            requirement = Requirement(line)
            if requirement.name != 'saip_mm':
                assert pins[requirement.name] in requirement.specifier, line


def test_metadata_name_the_pythons_that_are_pinned():
    metadata, options = setup_cfg()['metadata'], setup_cfg()['options']
    told = re.findall(r'Python :: (3\.\d+)$', metadata['classifiers'], re.M)
    assert tuple(told) == PYTHONS
    assert options['python_requires'] == f'>={PYTHONS[0]}'
    script = (ROOT / 'tools' / 'setup_env.sh').read_text()
    for python in PYTHONS:
        assert f'python{python} ' in script
        assert f'({python.replace(".", ", ")})' in script


def test_every_metafile_is_in_the_index():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    there = ROOT.glob('configs/*/metafile.yml')
    assert sorted(index['Import']) == sorted(
        path.relative_to(ROOT).as_posix() for path in there)


def test_models_of_the_index_are_unique_and_have_configs():
    models = listed_models()
    names = [model['Name'] for _, model in models]
    assert models and len(names) == len(set(names))
    for path, model in models:
        assert (ROOT / model['Config']).is_file(), (path, model['Name'])
        for downstream in model.get('Downstream', []):
            assert downstream in names, (path, downstream)


def test_models_of_the_index_belong_to_a_collection():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    for path in index['Import']:
        metafile = yaml.safe_load((ROOT / path).read_text())
        collections = {entry['Name'] for entry in metafile['Collections']}
        for model in metafile['Models']:
            assert model['In Collection'] in collections, model['Name']


def test_no_path_or_host_of_one_machine_in_the_files():
    found = []
    for path in tracked_files():
        if not path.is_file():
            continue
        text = path.read_bytes().decode('utf-8', 'ignore')
        match = FORBIDDEN.search(text)
        if match:
            found.append((str(path.relative_to(ROOT)), match.group()))
    assert not found


def test_ci_runs_make_test():
    assert (ROOT / '.ci' / 'run').read_text().rstrip().endswith('make test')


def build_wheel(tmp_path) -> Path:
    """Of the files as they are here."""
    checkout = tmp_path / 'checkout'  # builds leave files in theirs
    for path in tracked_files():
        if path.is_file():
            copy = checkout / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    subprocess.run([
        sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps',
        '--no-build-isolation', '--wheel-dir',
        str(tmp_path),
        str(checkout)
    ],
                   check=True)
    wheel, = tmp_path.glob('saip_mm-*.whl')
    return wheel


# run where the wheel was unpacked: nothing leads to the checkout
INSTALLED = '''
import sys
from importlib.metadata import entry_points
from pathlib import Path
# an editable install of the checkout in the same environment
sys.meta_path[:] = [f for f in sys.meta_path
                    if getattr(f, '__name__', '') != '_EditableFinder']
import saip_mm
site = Path(saip_mm.__file__).parents[1]
assert site.name == 'site', site
from mmengine.config import Config
Path('mine.py').write_text("_base_ = 'saip_mm::saip/tinyvit_5m.py'")
model = Config.fromfile('mine.py').model
assert model.encoder.backbone.model_name == 'tiny_vit_5m_224'
from saip_mm.engine import config_path
assert Path(config_path('saip/vit_tiny.py')).is_relative_to(
    site / 'saip_mm' / '.mim' / 'configs')
script, = [point for point in entry_points(group='console_scripts')
           if point.name == 'saip-mm']
sys.argv = ['saip-mm', 'pretrain', 'none']
try:
    script.load()()
except SystemExit as end:
    assert str(end.code).startswith("error: no folder of pictures 'none'")
else:
    raise AssertionError('no error')
'''


@pytest.mark.slow
def test_wheel_holds_configs_tools_and_index(tmp_path):
    wheel = build_wheel(tmp_path)
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        'saip_mm/__init__.py', 'saip_mm/.mim/model-index.yml',
        'saip_mm/.mim/configs/saip/vit_tiny.py',
        'saip_mm/.mim/configs/_base_/default_runtime.py',
        'saip_mm/.mim/tools/train.py', 'saip_mm/.mim/tools/dist_train.sh'
    } <= names
    assert not [name for name in names if name.startswith('tests/')]
    zipfile.ZipFile(wheel).extractall(tmp_path / 'site')
    folder = tmp_path / 'empty'
    folder.mkdir()
    done = subprocess.run([sys.executable, '-c', INSTALLED],
                          cwd=folder,
                          env=dict(
                              os.environ,
                              CUDA_VISIBLE_DEVICES='',
                              OMP_NUM_THREADS='1',
                              PYTHONPATH=str(tmp_path / 'site')),
                          capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


def test_editable_install_links_to_the_checkout():
    """Editing a config must count at once, without another install."""
    folder = ROOT / 'saip_mm' / '.mim'
    if not folder.exists():
        pytest.skip('not an editable install')
    for name in ('configs', 'tools', 'model-index.yml'):
        assert (folder / name).resolve() == ROOT / name


@pytest.mark.parametrize('page', [
    page.relative_to(ROOT).as_posix()
    for page in [ROOT / 'README.md', *(ROOT / 'docs').glob('*.md')]
])
def test_links_of_pages_lead_somewhere(page):
    text = (ROOT / page).read_text()
    links = re.findall(r'\]\(([^)\s]+)\)', text)
    assert links or page != 'README.md'
    for link in links:
        path, _, anchor = link.partition('#')
        if '://' in link:
            continue
        assert not path or ((ROOT / page).parent / path).exists(), link
        if anchor and not path:
            headings = re.findall(r'^#+ (.+)$', text, re.M)
            assert anchor in {
                re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-')
                for heading in headings
            }, link
