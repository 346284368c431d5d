import pytest
import torch
from mmengine.fileio import BaseStorageBackend, register_backend
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from saip_mm.weights import UnsafeCheckpointError, loader
from ..web import serving
from .payloads import foreign_code

ONE = torch.ones(1)


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A server of a folder: its address, the folder, and what was asked."""
    (tmp_path / 'web').mkdir()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))
    with serving(tmp_path / 'web') as web:
        yield web.address, web.folder, web.asked


def load(name):
    return CheckpointLoader.load_checkpoint(name)


def test_files_of_the_web_are_fetched_once(web, tmp_path):
    address, folder, asked = web
    torch.save(dict(state_dict={'module.a': ONE}), folder / 'a.pth')
    for _ in range(2):
        assert dict(
            load(f'{address}/a.pth?key=1')['state_dict']) == dict(a=ONE)
    assert asked == [('/a.pth?key=1', None)]
    kept, = (tmp_path / 'home' / 'hub' / 'checkpoints').glob('*-a.pth')
    assert kept.read_bytes() == (folder / 'a.pth').read_bytes()


def test_files_of_one_name_do_not_stand_for_each_other(web):
    """Every project has its epoch_300.pth."""
    address, folder, _ = web
    for name in ('a', 'b'):
        (folder / name).mkdir()
        torch.save(
            dict(state_dict={name: ONE}), folder / name / 'epoch_300.pth')
    for name in ('a', 'b', 'a'):
        found = load(f'{address}/{name}/epoch_300.pth')
        assert dict(found['state_dict']) == {name: ONE}


def test_a_download_that_breaks_off_is_an_error_that_says_so(web, tmp_path):
    address, folder, _ = web
    with pytest.raises(OSError, match='/a.pth cannot be fetched .*404'):
        load(f'{address}/a.pth')
    assert not list(tmp_path.rglob('*-a.pth'))


def test_names_of_zoos_are_urls(web, tmp_path, monkeypatch):
    address, folder, _ = web
    for name in ('vision', 'lab', 'cls'):
        state = {'backbone.a': ONE, 'head.b': ONE}
        torch.save(dict(state_dict=state, name=name), folder / f'{name}.pth')
    monkeypatch.setattr(mmengine_checkpoint, 'get_torchvision_models',
                        lambda: dict(res=f'{address}/vision.pth'))
    monkeypatch.setattr(mmengine_checkpoint, 'get_deprecated_model_names',
                        lambda: dict(old='new'))
    monkeypatch.setattr(mmengine_checkpoint, 'get_external_models',
                        lambda: dict(new=f'{address}/lab.pth', own='lab.pth'))
    monkeypatch.setattr(mmengine_checkpoint, 'get_mmcls_models',
                        lambda: dict(vit=f'{address}/cls.pth'))
    monkeypatch.setattr(mmengine_checkpoint, '_get_mmengine_home',
                        lambda: str(folder))
    for prefix in ('torchvision', 'modelzoo'):
        assert load(f'{prefix}://res')['name'] == 'vision'
    for prefix in ('open-mmlab', 'openmmlab'):
        for name in ('old', 'new', 'own'):
            assert load(f'{prefix}://{name}')['name'] == 'lab'
    assert dict(load('mmcls://vit')['state_dict']) == dict(a=ONE)


def test_object_stores_are_read_safely(tmp_path):
    marker = tmp_path / 'ran'

    @register_backend('petrel', force=True, prefixes=['s3', 'petrel'])
    class Store(BaseStorageBackend):

        def get(self, filepath):
            return (tmp_path / filepath.rsplit('/', 1)[1]).read_bytes()

        def get_text(self, filepath):
            return ''

    torch.save(dict(model={'module.a': ONE}), tmp_path / 'a.pth')
    torch.save(
        dict(state_dict=foreign_code(marker)['eval']), tmp_path / 'b.pth')
    for prefix in ('s3', 'petrel', 'cluster:s3'):
        assert dict(load(f'{prefix}://x/a.pth')['state_dict']) == dict(a=ONE)
        with pytest.raises(UnsafeCheckpointError, match='s3|petrel'):
            load(f'{prefix}://x/b.pth')
    assert not marker.exists()


def test_a_service_that_nobody_can_check_is_refused():
    with pytest.raises(ValueError, match='pavi://a.pth: download the file'):
        load('pavi://a.pth')


def test_every_door_of_mmengine_is_ours():
    for prefix, ours in loader.LOADERS.items():
        assert CheckpointLoader._schemes[prefix] is ours
    assert set(CheckpointLoader._schemes) == set(loader.LOADERS)


def test_a_program_is_kept_under_another_name(tmp_path):
    """For the report of a resume, which only reads settings."""
    path = tmp_path / 'a.pth'
    program = 'import os'
    torch.save(
        dict(
            state_dict={},
            meta=dict(cfg=program, config=program, epoch=3),
            message_hub=dict(runtime_info=[1])), path)
    assert load(str(path)) == dict(
        state_dict={},
        meta=dict(cfg_not_run=program, epoch=3),
        message_hub=dict(runtime_info=[1]))


@pytest.mark.parametrize('place', ['meta', 'message_hub'])
@pytest.mark.parametrize('text', [
    'open({!r}, "w").close()',
    'model = dict(type="pathlib.Path.touch", self={!r})',
    'custom_imports = dict(imports=["evil"])\nmodel = dict(path={!r})',
    'model = dict(type="call", _scope_="subprocess", args={!r})',
    'a = ["{{{{$X:", "}}}}__import__(1)", {!r}]',
    'model = dict(type="mmengine.load", file={!r})',
    '_base_ = [{!r}]',
    'import os\nmodel = dict(type="A", path={!r})',
])
def test_an_inferencer_gets_no_program_of_the_file(place, text, tmp_path):
    """Given no config, mmengine's inferencers run the file's."""
    path, marker = tmp_path / 'epoch_1.pth', tmp_path / 'ran'
    info = dict(cfg=text.format(str(marker)))
    content = dict(state_dict={}, meta=dict(info, epoch=1))
    if place == 'message_hub':
        content = dict(state_dict={}, message_hub=dict(runtime_info=info))
    torch.save(content, path)
    loaded = CheckpointLoader.load_checkpoint(str(path))
    assert not marker.exists()
    assert 'cfg' not in loaded.get('meta', {})
    hub = loaded.get('message_hub', dict(runtime_info={}))
    assert 'cfg' not in hub['runtime_info']


def test_a_plain_config_stays_in_the_file(tmp_path):
    path, text = tmp_path / 'epoch_1.pth', "model = dict(type='mmdet.DETR')\n"
    info = dict(cfg=text)
    torch.save(
        dict(state_dict={}, meta=info, message_hub=dict(runtime_info=info)),
        path)
    loaded = CheckpointLoader.load_checkpoint(str(path))
    assert loaded['meta']['cfg'] == text
    assert loaded['message_hub']['runtime_info']['cfg'] == text


def test_an_unsafe_file_keeps_its_class_of_error(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=foreign_code(tmp_path / 'ran')), path)
    with pytest.raises(UnsafeCheckpointError):
        CheckpointLoader.load_checkpoint(str(path))
