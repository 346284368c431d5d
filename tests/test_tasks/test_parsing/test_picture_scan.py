import numpy as np
import pytest
from PIL import Image

from saip_mm.tasks.parsing.archive_check import split_of
from saip_mm.tasks.parsing.picture_scan import describe_odd, scan_picture
from .cihp_files import PICTURES, draw_persons, save_map, write_cihp


@pytest.fixture
def root(tmp_path):
    write_cihp(tmp_path)
    return tmp_path


def scan(root, name='0000006'):
    return scan_picture(name, split_of(str(root), 'train'))


def test_persons_boxes_and_areas(root):
    picture, found = scan(root)
    assert (picture.id, picture.name) == (6, '0000006')
    assert (picture.height, picture.width) == (48, 64)
    assert [p.bbox for p in picture.persons] == [[4, 4, 20, 40],
                                                 [30, 8, 16, 36]]
    assert [p.human_id for p in picture.persons] == [1, 2]
    assert [p.area for p in picture.persons] == [800, 576]
    assert found['instances'] == 8 and describe_odd(found) == ''


def test_box_is_of_all_pixels_of_the_person(root):
    """Those without a part among them."""
    parts, humans = draw_persons(*PICTURES['0000006'])
    humans[0, 0] = 1
    save_map(root, humans, kind='Human_ids')
    picture, found = scan(root)
    assert picture.persons[0].bbox == [0, 0, 24, 44]
    assert picture.persons[0].area == 801
    assert found['lonely_humans'] == 1


def test_what_does_not_go_together_is_counted(root):
    parts, humans = draw_persons(*PICTURES['0000006'])
    parts[humans == 2] = 0
    parts[0, :3] = 9
    save_map(root, parts)
    picture, found = scan(root)
    assert [p.human_id for p in picture.persons] == [1]
    assert (found['partless'], found['lonely_parts'],
            found['lonely_humans']) == (1, 3, 576)
    assert describe_odd(found).startswith('3 pixels of a part show nobody')


def test_numbers_with_gaps_and_beyond_8_bits(root):
    humans = draw_persons(*PICTURES['0000006'])[1].astype(np.uint16)
    humans[humans == 2] = 300
    save_map(root, humans, kind='Human_ids')
    assert [p.human_id for p in scan(root)[0].persons] == [1, 300]


@pytest.mark.parametrize('orientation, stored, fits', [
    (1, (64, 48), True),
    (6, (48, 64), True),
    (6, (64, 48), True),
    (1, (48, 64), False),
    (3, (48, 64), False),
])
def test_picture_turned_by_exif(root, orientation, stored, fits):
    """Labels, 64 wide, may be of the picture as it is shown or stored."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = root / 'Training/Images/0000006.jpg'
    Image.new('RGB', stored).save(path, exif=exif)
    if fits:
        assert scan(root)[0].width == 64
    else:
        with pytest.raises(ValueError, match='0000006: image 64x48'):
            scan(root)


def colour(root):
    save_map(root, np.zeros((48, 64, 3), np.uint8))


def colour_humans(root):
    save_map(root, np.zeros((48, 64, 3), np.uint8), kind='Human_ids')


def foreign(root):
    save_map(root, np.full((48, 64), 37, np.uint8))


def ignored(root):
    save_map(root, np.full((48, 64), 255, np.uint8))


def turned_maps(root):
    for kind in ('Category_ids', 'Human_ids'):
        save_map(root, np.zeros((64, 48), np.uint8), kind=kind)


def turned_map(root):
    save_map(root, np.zeros((64, 48), np.uint8), kind='Human_ids')


def cut(root):
    path = root / 'Training/Category_ids/0000006.png'
    path.write_bytes(path.read_bytes()[:-20])


def empty(root):
    (root / 'Training/Human_ids/0000006.png').write_bytes(b'')


def no_picture(root):
    (root / 'Training/Images/0000006.jpg').write_bytes(b'hello')


@pytest.mark.parametrize('spoil, error', [
    (colour, 'Category_ids/0000006.png has 3 channels; use Category_ids, '
     'not Categories'),
    (colour_humans, 'Human_ids/0000006.png has 3 channels; use Human_ids, '
     'not Human'),
    (foreign, '0000006.png holds class 37; CIHP has 0-19'),
    (ignored, '0000006.png holds class 255; CIHP has 0-19'),
    (turned_maps, r'0000006: image 48x64, Human_ids 64x48 \(height x width'),
    (turned_map, '0000006: Category_ids 48x64, Human_ids 64x48'),
    (cut, 'Category_ids/0000006.png is cut short or no image'),
    (empty, 'Human_ids/0000006.png is an empty file'),
    (no_picture, 'Images/0000006.jpg is no picture, or cut short'),
])
def test_bad_files_are_named(root, spoil, error):
    spoil(root)
    with pytest.raises(ValueError, match=error):
        scan(root)


@pytest.mark.parametrize('kind', ['Images', 'Category_ids', 'Human_ids'])
def test_missing_files_come_with_the_layout(root, kind):
    path = next((root / 'Training' / kind).glob('0000006.*'))
    path.unlink()
    with pytest.raises(
            FileNotFoundError,
            match=f'(?s)no .*{kind}/0000006.*Training/Images/<id>.jpg'):
        scan(root)
