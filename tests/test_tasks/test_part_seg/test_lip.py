import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmseg')

from mmengine.registry import DefaultScope  # noqa: E402
from mmseg.registry import DATASETS  # noqa: E402
from mmseg.utils import register_all_modules  # noqa: E402

from saip_mm.tasks.part_seg import LIPPartsDataset  # noqa: E402
from saip_mm.tasks.part_seg.lip import FLIP_PAIRS  # noqa: E402
from .lip_files import write_lip  # noqa: E402

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadPartLabels')]


@pytest.fixture(autouse=True, scope='module')
def scope():
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def lip(root, **kwargs):
    return DATASETS.build(
        dict(type='LIPPartsDataset', data_root=root, ann_file='train_id.txt')
        | kwargs)


@pytest.mark.parametrize('nested', [False, True])
def test_both_layouts(tmp_path, nested):
    dataset = lip(write_lip(tmp_path, nested), pipeline=LOAD)
    assert len(dataset) == 3
    sample = dataset[1]
    assert sample['img'].shape == (40, 24, 3)
    assert sample['gt_seg_map'].shape == (40, 24)
    assert sample['img_path'].endswith('1_1.jpg')
    names = dataset.metainfo['classes']
    pairs = [(names[a], names[b]) for a, b in FLIP_PAIRS]
    assert pairs == [('Left-arm', 'Right-arm'), ('Left-leg', 'Right-leg'),
                     ('Left-shoe', 'Right-shoe')]


def test_without_list_everything_in_the_folder(tmp_path):
    assert len(lip(write_lip(tmp_path), ann_file='')) == 3


def test_mirrored_picture_has_mirrored_labels(tmp_path):
    root = write_lip(tmp_path)
    plain = lip(root, pipeline=LOAD)
    flip = dict(type='RandomFlip', prob=1., swap_seg_labels=FLIP_PAIRS)
    mirrored = lip(root, pipeline=[*LOAD, flip])
    other = {a: b for pair in FLIP_PAIRS for a, b in (pair, pair[::-1])}
    for i in range(3):
        assert (mirrored[i]['img'] == plain[i]['img'][:, ::-1]).all()
        label = plain[i]['gt_seg_map'][:, ::-1]
        wanted = np.vectorize(lambda c: other.get(c, c))(label)
        assert (mirrored[i]['gt_seg_map'] == wanted).all()
        assert (wanted != label).any()


@pytest.mark.parametrize('pairs', [None, [], FLIP_PAIRS[:2], [(14, 16)]])
def test_flip_without_exchange_is_refused(tmp_path, pairs):
    flip = dict(type='RandomFlip', prob=0.5, swap_seg_labels=pairs)
    inner = dict(type='RandomApply', transforms=[flip], prob=0.5)
    for transform in (flip, inner):
        with pytest.raises(ValueError, match=r'swap_seg_labels=\[\(14, 15\)'):
            lip(write_lip(tmp_path / str(transform is inner)),
                pipeline=[*LOAD, transform])


class TestMissing:

    def test_folder(self, tmp_path):
        root = write_lip(tmp_path)
        with pytest.raises(FileNotFoundError) as error:
            lip(root, data_prefix=dict(img_path='pictures', seg_map_path='x'))
        for word in ('pictures', 'TrainVal_images.zip',
                     'TrainVal_parsing_annotations.zip', 'train_id.txt'):
            assert word in str(error.value)

    def test_list(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='test_id.txt'):
            lip(write_lip(tmp_path), ann_file='test_id.txt')

    def test_label(self, tmp_path):
        root = write_lip(tmp_path)
        for name in ('1_1', '2_2'):
            (tmp_path / f'train_segmentations/{name}.png').unlink()
        error = '2 of 3 images have no label.*first 1_1'
        with pytest.raises(FileNotFoundError, match=error + '$'):
            lip(root, ann_file='')
        line = r' \(train_id.txt line 2\)$'
        with pytest.raises(FileNotFoundError, match=error + line):
            lip(root)

    def test_picture(self, tmp_path):
        root = write_lip(tmp_path)
        (tmp_path / 'train_images/1_1.jpg').unlink()
        error = r'1 of 3 ids .*first 1_1 \(train_id.txt line 2\)'
        with pytest.raises(FileNotFoundError, match=error):
            lip(root)
        error = '1 of 3 labels have no image in .*train_images, first 1_1:'
        with pytest.raises(FileNotFoundError, match=error):
            lip(root, ann_file='')

    def test_all_pictures(self, tmp_path):
        root = write_lip(tmp_path)
        for path in (tmp_path / 'train_images').iterdir():
            path.unlink()
        with pytest.raises(FileNotFoundError, match='no .jpg pictures in'):
            lip(root, ann_file='')


def test_ids_with_extension(tmp_path):
    root = write_lip(tmp_path)
    (tmp_path / 'train_id.txt').write_text('0_0.jpg\n')
    error = 'train_id.txt line 1.*ids carry no extension'
    with pytest.raises(ValueError, match=error):
        lip(root)


def test_shifted_classes_are_refused(tmp_path):
    with pytest.raises(ValueError, match='reduce_zero_label=True would'):
        lip(write_lip(tmp_path), reduce_zero_label=True)


class TestLabels:

    def load(self, tmp_path, label=None, picture=None):
        root = write_lip(tmp_path)
        if label is not None:
            label.save(tmp_path / 'train_segmentations/0_0.png')
        if picture is not None:
            picture.save(tmp_path / 'train_images/0_0.jpg')
        return lip(root, pipeline=LOAD)[0]

    def test_colours(self, tmp_path):
        with pytest.raises(ValueError, match='0_0.png is a colour image'):
            self.load(tmp_path, Image.new('RGB', (32, 48)))

    def test_foreign_class(self, tmp_path):
        error = '0_0.png holds class 37; LIP has 0-19 and 255'
        with pytest.raises(ValueError, match=error):
            self.load(tmp_path, Image.new('L', (32, 48), 37))

    def test_other_size(self, tmp_path):
        with pytest.raises(ValueError, match='0_0.png has 40x32.*48x32'):
            self.load(tmp_path, Image.new('L', (32, 40)))

    def test_palette_is_read_by_its_numbers(self, tmp_path):
        label = Image.new('P', (32, 48), 7)
        label.putpalette([c for i in range(256) for c in (255 - i, 9, i)])
        assert (self.load(tmp_path, label)['gt_seg_map'] == 7).all()

    @pytest.mark.parametrize('mode', ['L', 'P'])
    def test_grey_picture_gets_three_channels(self, tmp_path, mode):
        picture = Image.new('L', (32, 48), 9)
        if mode == 'P':
            root = write_lip(tmp_path / 'p')
            picture.convert('P').save(
                tmp_path / 'p/train_images/0_0.jpg', format='PNG')
            image = lip(root, pipeline=LOAD)[0]['img']
        else:
            image = self.load(tmp_path, picture=picture)['img']
        assert image.shape == (48, 32, 3)

    def test_smaller_than_a_patch(self, tmp_path):
        small = (32, 12)
        with pytest.raises(ValueError, match='0_0.jpg has 12x32 pixels'):
            self.load(tmp_path, Image.new('L', small), Image.new('L', small))

    def test_stays_at_its_own_size_in_tests(self, tmp_path):
        resize = dict(type='Resize', scale=(64, 64), keep_ratio=False)
        dataset = lip(write_lip(tmp_path), pipeline=[LOAD[0], resize, LOAD[1]])
        assert dataset[2]['img'].shape == (64, 64, 3)
        assert dataset[2]['gt_seg_map'].shape == (56, 40)


def test_name_in_the_registry():
    assert DATASETS.get('LIPPartsDataset') is LIPPartsDataset
