import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmseg')

from mmengine.registry import DefaultScope  # noqa: E402
from mmseg.registry import DATASETS  # noqa: E402
from mmseg.utils import register_all_modules  # noqa: E402

from saip_mm.datasets.samplers import ResumableSampler  # noqa: E402
from saip_mm.tasks.part_seg import LIPPartsDataset  # noqa: E402
from .lip_files import write_lip  # noqa: E402
from .parts_files import PLAIN, SIDED, SIDED_PAIRS, write_parts  # noqa: E402

LOAD = [dict(type='LoadPartImage'), dict(type='LoadPartLabels')]
FLIP = dict(type='RandomPartFlip', prob=1.)
LIP = LIPPartsDataset.METAINFO['classes']


@pytest.fixture(autouse=True, scope='module')
def scope():
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


@pytest.fixture
def log(monkeypatch):
    """What the data set has to say."""
    lines = []

    def tell(message, logger=None, level=logging.INFO):
        lines.append(message)

    monkeypatch.setattr('saip_mm.tasks.part_seg.parts_dataset.print_log', tell)
    return lines


def build(cfg, **kwargs):
    return DATASETS.build(dict(cfg, pipeline=LOAD) | kwargs)


def label_of(root, name='0'):
    return np.array(Image.open(Path(root) / f'labels/{name}.png'))


def test_twelve_classes(tmp_path, log):
    dataset = build(write_parts(tmp_path))
    assert len(dataset) == 3 and dataset.metainfo['classes'] == PLAIN
    assert len(dataset.metainfo['palette']) == 12
    assert dataset.metainfo['flip_pairs'] == []
    for index in range(3):
        sample = dataset[index]
        assert sample['img'].shape[:2] == sample['gt_seg_map'].shape
        assert (sample['gt_seg_map'] == label_of(tmp_path, index)).all()
    assert log == []


def test_names_from_a_file(tmp_path):
    cfg = write_parts(tmp_path)
    (tmp_path / 'classes.txt').write_text('\n'.join(PLAIN))
    cfg['metainfo'] = dict(classes=str(tmp_path / 'classes.txt'))
    assert build(cfg).metainfo['classes'] == PLAIN


@pytest.mark.parametrize('names, error', [
    (None, 'metainfo.classes is None'),
    (PLAIN[:11], r'.png holds class 11; metainfo.classes has 0-10 and 255'),
])
def test_names_that_do_not_match(tmp_path, names, error):
    cfg = write_parts(tmp_path)
    cfg['metainfo'] = names and dict(classes=names)
    with pytest.raises(ValueError, match=error):
        build(cfg)  # before training


def test_home_in_paths(tmp_path, monkeypatch):
    cfg = write_parts(tmp_path / 'parts')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert len(build(cfg, data_root='~/parts')) == 3
    assert len(
        build(
            cfg,
            data_root='',
            ann_file='~/parts/ids.txt',
            data_prefix=dict(
                img_path='~/parts/images',
                seg_map_path='~/parts/labels'))) == 3


class TestMirrors:

    @pytest.mark.parametrize('names, pairs', [(PLAIN, []),
                                              (SIDED, SIDED_PAIRS)])
    def test_own_pairs(self, tmp_path, names, pairs):
        cfg = dict(write_parts(tmp_path), metainfo=dict(classes=names))
        flipped = build(cfg, pipeline=[*LOAD, FLIP])[0]
        other = {a: b for p in pairs for a, b in (p, p[::-1])}
        wanted = np.vectorize(lambda c: other.get(c, c))(label_of(tmp_path))
        assert (flipped['gt_seg_map'] == wanted[:, ::-1]).all()
        assert bool(pairs) == (wanted != label_of(tmp_path)).any()

    @pytest.mark.parametrize('given', [None, [(4, 5)], [(14, 15)]])
    def test_a_plain_flip_is_held_to_them(self, tmp_path, given):
        cfg = dict(write_parts(tmp_path), metainfo=dict(classes=SIDED))
        flip = dict(type='RandomFlip', prob=1., swap_seg_labels=given)
        with pytest.raises(ValueError) as error:
            build(cfg, pipeline=[*LOAD, flip])
        for words in ('swap_seg_labels=[(4, 5), (6, 7), (9, 10)]',
                      '(4, 5) left_arm/right_arm', f'got {given or []}'):
            assert words in str(error.value)
        flip['swap_seg_labels'] = SIDED_PAIRS
        build(cfg, pipeline=[*LOAD, flip])

    def test_without_pairs_a_plain_flip_says_none(self, tmp_path):
        cfg = write_parts(tmp_path)
        flip = dict(type='RandomFlip', prob=1.)
        build(cfg, pipeline=[*LOAD, flip])
        with pytest.raises(ValueError, match=r'got \[\(4, 5\)\]'):
            build(cfg, pipeline=[*LOAD, dict(flip, swap_seg_labels=[(4, 5)])])

    def test_a_selection_of_lip_keeps_right_arms_right(self, tmp_path, log):
        """Arms are 0 and 2 here; 14 and 15, LIP's, are no class."""
        names = ('Right-arm', 'Face', 'Left-arm', 'Background')
        root = write_lip(tmp_path)
        dataset = DATASETS.build(
            dict(
                type='LIPPartsDataset',
                data_root=root,
                ann_file='train_id.txt',
                metainfo=dict(classes=names),
                pipeline=[*LOAD, FLIP]))
        assert dataset.metainfo['flip_pairs'] == [(2, 0)]
        assert dataset.metainfo['palette'] == [[0, 255, 255], [0, 0, 255],
                                               [51, 170, 221], [0, 0, 0]]
        stored = np.array(
            Image.open(tmp_path / 'train_segmentations/0_0.png'))[:, ::-1]
        mirror = {'Left-arm': 'Right-arm', 'Right-arm': 'Left-arm'}
        for row, (old,
                  new) in enumerate(zip(stored, dataset[0]['gt_seg_map'])):
            for a, b in zip(old, new):
                name = LIP[a] if a < 20 else None
                name = mirror.get(name, name)
                assert b == (names.index(name) if name in names else 255), row
        assert len(log) == 1 and "4 of LIP's 20 classes, renu" in log[0]
        assert '16 ignored' in log[0]

    @pytest.mark.parametrize('tta', [False, True])
    def test_half_a_pair_does_not_flip(self, tmp_path, tta):
        cfg = dict(
            type='LIPPartsDataset',
            data_root=write_lip(tmp_path),
            metainfo=dict(classes=('Left-arm', 'Face')))
        assert DATASETS.build(dict(cfg, pipeline=LOAD)).label_map[14] == 0
        steps = [dict(type='TestTimeAug', transforms=[[FLIP]])]
        with pytest.raises(
                ValueError, match='Left-arm is a class here and Right-arm is'):
            DATASETS.build(
                dict(cfg, pipeline=[*LOAD, *(steps if tta else [FLIP])]))

    def test_a_data_set_without_pairs(self, tmp_path):
        dataset = DATASETS.build(
            dict(
                type='LIPDataset',  # mmseg's
                data_root=write_lip(tmp_path),
                data_prefix=dict(
                    img_path='train_images',
                    seg_map_path='train_segmentations'),
                pipeline=[*LOAD, FLIP]))
        with pytest.raises(ValueError, match='does not say which classes a m'):
            dataset[0]


def own_names_for_lip(tmp_path):
    return dict(
        write_parts(tmp_path),
        type='LIPPartsDataset') | dict(metainfo=dict(classes=PLAIN))


def test_lip_takes_names_of_ones_own(tmp_path):
    dataset = build(own_names_for_lip(tmp_path))
    assert dataset.label_map is None and dataset.metainfo['flip_pairs'] == []
    assert (dataset[0]['gt_seg_map'] == label_of(tmp_path)).all()


# pictures that EXIF turns


def half_and_half(turned):
    """A picture of 24 rows and 16 columns, red above, blue below."""
    image = np.zeros((24, 16, 3), dtype=np.uint8)
    image[:12, :, 0] = image[12:, :, 2] = 255
    return Image.fromarray(np.rot90(image) if turned else image)


def save_turned(folder, suffix='.jpg', **kwargs):
    """Stored lying, shown upright: orientation 6 is a quarter turn."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = folder / f'images/0{suffix}'
    half_and_half(True).save(path, exif=exif, **kwargs)


@pytest.mark.parametrize('suffix, options', [('.jpg', {}), ('.png', {}),
                                             ('.webp', dict(lossless=True))])
@pytest.mark.parametrize('drawn', ['as shown', 'as stored'])
def test_a_turned_picture_lies_as_its_label(tmp_path, drawn, suffix, options):
    cfg = dict(write_parts(tmp_path, suffix=suffix), img_suffix=suffix)
    save_turned(tmp_path, suffix, **options)
    label = np.ones((24, 16), dtype=np.uint8)
    label[12:] = 2  # red is 1, blue 2
    if drawn == 'as stored':
        label = np.rot90(label)
    Image.fromarray(label).save(tmp_path / 'labels/0.png')
    resize = dict(type='Resize', scale=label.shape[::-1], keep_ratio=False)
    for pipeline in (LOAD, [LOAD[0], resize, LOAD[1]]):
        sample = build(cfg, pipeline=pipeline)[0]
        blue, _, red = np.moveaxis(sample['img'].astype(int), -1, 0)
        assert (sample['gt_seg_map'] == label).all()
        assert ((red > blue) == (label == 1)).mean() > 0.9


def test_the_usual_loader_says_what_to_do(tmp_path):
    cfg = write_parts(tmp_path)
    save_turned(tmp_path)
    Image.new('L', (24, 16)).save(tmp_path / 'labels/0.png')
    old = [dict(type='LoadImageFromFile'), LOAD[1]]
    with pytest.raises(ValueError, match='16x24 .* LoadPartImage turns it'):
        build(cfg, pipeline=old)[0]


# files that are none


def test_sizes_that_do_not_match(tmp_path):
    cfg = write_parts(tmp_path)
    Image.new('L', (32, 47)).save(tmp_path / 'labels/0.png')
    with pytest.raises(
            ValueError, match=r'0.jpg has 48x32 .* 47x32.*labels/0.png\)'):
        build(cfg)


@pytest.mark.parametrize('folder, name', [('images', '0.jpg'),
                                          ('labels', '1.png')])
def test_empty_files(tmp_path, folder, name):
    cfg = write_parts(tmp_path)
    (tmp_path / folder / name).write_bytes(b'')
    error = rf'1 of 3 files are empty \(0 bytes\), first .*{folder}/{name}'
    with pytest.raises(ValueError, match=error):
        build(cfg, pipeline=[])


@pytest.mark.parametrize('path', ['images/1.jpg', 'labels/1.png'])
def test_files_cut_short_are_found_before_training(tmp_path, path):
    cfg = write_parts(tmp_path)
    content = (tmp_path / path).read_bytes()
    (tmp_path / path).write_bytes(content[:len(content) // 2])
    with pytest.raises(ValueError, match=f'{path} is .*cut short'):
        build(cfg)


@pytest.mark.parametrize('dtype, kind', [(np.float32, 'float'),
                                         (np.int32, 'signed')])
def test_pictures_of_32_bits_are_refused(tmp_path, dtype, kind):
    cfg = dict(write_parts(tmp_path), img_suffix=('.jpg', '.tif'))
    (tmp_path / 'images/0.jpg').unlink()
    picture = np.full((48, 32), 200, dtype=dtype)
    Image.fromarray(picture).save(tmp_path / 'images/0.tiff')
    error = f'images/0.tiff: its values are 32-bit {kind}, .*save it with 8'
    with pytest.raises(ValueError, match=error):
        build(cfg)


def test_a_label_with_decimals_is_refused(tmp_path):
    cfg = dict(write_parts(tmp_path), seg_map_suffix='.tif')
    for path in (tmp_path / 'labels').iterdir():
        label = np.array(Image.open(path)).astype(np.float32)
        Image.fromarray(label).save(path.with_suffix('.tif'))
    with pytest.raises(ValueError, match=r'0.tif holds numbers with decimals'):
        build(cfg)


@pytest.mark.parametrize('change, error', [
    (dict(data_root='nowhere'), 'there is no file nowhere/ids.txt: set data_'),
    (dict(data_prefix=dict(img_path='images')), 'names no seg_map_path'),
    (dict(data_prefix=dict(img_path='images', seg_map_path='x')),
     'there is no folder .*/x: set data_root'),
    (dict(img_suffix='.png'), r"3 of 3 ids .*\(img_suffix '.png'\)"),
    (dict(seg_map_suffix='.bmp'), r"no label \(seg_map_suffix '.bmp'\)"),
])
def test_folders_and_names_that_are_none(tmp_path, change, error):
    with pytest.raises((ValueError, FileNotFoundError), match=error):
        build(write_parts(tmp_path), **change)


def test_a_list_that_is_empty(tmp_path):
    cfg = write_parts(tmp_path)
    (tmp_path / 'ids.txt').write_text('')
    with pytest.raises(ValueError, match='ids.txt is empty: write one id'):
        build(cfg)


def test_a_list_from_windows_with_ids_twice(tmp_path, log):
    cfg = write_parts(tmp_path)
    (tmp_path / 'ids.txt').write_bytes('0\r\n1 \r\n0\r\n'.encode('utf-16'))
    assert len(build(cfg)) == 2
    assert len(log) == 1 and '1 of 3 ids come again in ' in log[0]


def test_what_a_folder_leaves_out_is_counted(tmp_path, log):
    cfg = dict(write_parts(tmp_path), ann_file='')
    images, labels = tmp_path / 'images', tmp_path / 'labels'
    (images / '1.jpg').rename(images / '1.JPG')
    (images / '2.jpg').rename(images / '2.jfif')
    assert len(build(cfg)) == 3 and log == []
    for path in (images / '._1.jpg', labels / '._1.png', images / 'x.gif'):
        path.write_bytes(b'x')
    assert len(build(cfg)) == 3
    assert len(log) == 1
    for words in ('2 files', '.gif 1', '._* 1', "img_suffix is '.jpg'"):
        assert words in log[0]


@pytest.mark.parametrize('value, words', [
    (255, '2 of 3 labels looked at are 255'),
    (0, None),
])
def test_labels_that_teach_nothing_are_counted(tmp_path, log, value, words):
    cfg = write_parts(tmp_path)
    for name, size in (('0', (32, 48)), ('1', (24, 40))):
        Image.new('L', size, value).save(tmp_path / f'labels/{name}.png')
    assert len(build(cfg)) == 3
    assert len(log) == bool(words) and (words or '') in ''.join(log)


def test_black_and_white_masks_are_suspected(tmp_path, log):
    cfg = write_parts(tmp_path)
    for path in (tmp_path / 'labels').iterdir():
        label = np.array(Image.open(path))
        Image.fromarray(np.where(label > 5, 255,
                                 0).astype(np.uint8)).save(path)
    build(cfg)
    assert len(log) == 1 and 'no class but 0 beside 255' in log[0]
    assert 'black and white masks?' in log[0]


def test_pictures_alone_are_loaded(tmp_path):
    """As mmseg's inference does."""
    from mmengine.dataset import Compose
    cfg = write_parts(tmp_path)
    path = f'{cfg["data_root"]}/images/0.jpg'
    sample = Compose([*LOAD, FLIP])(dict(img_path=path))
    assert sample['img'].shape == (48, 32, 3) and 'gt_seg_map' not in sample


class TestSeededDraws:
    """With mmpretrain.ResumableSampler."""

    def build(self, tmp_path):
        pipeline = [
            *LOAD,
            dict(
                type='WholePictureAffine',
                size=(16, 16),
                scale_sigma=0.2,
                rotation_sigma=20)
        ]
        return build(write_parts(tmp_path), pipeline=pipeline)

    def test_a_sample_follows_from_seed_epoch_and_picture(self, tmp_path):
        dataset = self.build(tmp_path)
        assert dataset.seed is None  # other samplers draw on and on
        assert (dataset[1]['crop_matrix'] != dataset[1]['crop_matrix']).any()
        ResumableSampler(dataset, seed=3)
        assert dataset.seed == 3
        again = self.build(tmp_path / 'again')
        again.seed = 3
        for index in (1, 3 + 1, 6 + 2):
            np.random.rand()
            one, other = dataset[index], again[index]
            assert (one['crop_matrix'] == other['crop_matrix']).all()
            assert one['img_path'].endswith(f'{index % 3}.jpg')
        matrices = [dataset[i]['crop_matrix'].tobytes() for i in (1, 4, 7)]
        again.seed = 4
        matrices.append(again[1]['crop_matrix'].tobytes())
        assert len(set(matrices)) == 4

    def test_one_epoch_is_gone_through(self, tmp_path):
        dataset = self.build(tmp_path)
        for seed in (None, 0):
            dataset.seed = seed
            assert [s['img_path'][-5] for s in dataset] == ['0', '1', '2']
