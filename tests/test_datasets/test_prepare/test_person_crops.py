import json
import os

import cv2
import numpy as np
import pytest
from PIL import Image

from saip_mm.datasets import CropOptions, PersonImages, crop_persons
from saip_mm.datasets.prepare.person_crops import person_box, refusal
from .._images import write_tree

POINTS = [60, 50, 2, 100, 150, 1] * 3 + [0, 0, 0] * 11  # 6 labelled of 17


def person(i, box=(50, 40, 60, 120), image=1, **kwargs):
    ann = dict(id=i, image_id=image, category_id=1, bbox=list(box), iscrowd=0)
    return {**ann, **kwargs}


def write_set(root, anns, name='train.json', **extra):
    write_tree(root / 'images', ['a/p.jpg', 'q.jpg'], height=200, width=160)
    content = dict(
        images=[
            dict(id=1, file_name='a/p.jpg'),
            dict(id=2, file_name='q.jpg')
        ],
        annotations=anns,
        categories=[dict(id=1, name='person'),
                    dict(id=2, name='car')])
    path = root / name
    path.write_text(json.dumps({**content, **extra}))
    return str(path), str(root / 'images')


@pytest.mark.parametrize('workers', [0, 2])
def test_crops_and_keys(tmp_path, workers):
    anns = [
        person(7),
        person(8, (0, 80, 60, 120)),  # enlarged beyond the border
        person(9, image=2),
        person(10, category_id=2),
        person(11, iscrowd=1),
        person(12, (0, 0, 60, 95)),
        person(13, (0, 0, 47, 120)),
        person(14, keypoints=POINTS),
        person(15, keypoints=POINTS[3:] + [0, 0, 0]),
        person(16, image=3),
    ]
    files = write_set(tmp_path, anns)
    out = tmp_path / 'out'
    report = crop_persons(*files, str(out), 'coco', workers=workers)
    assert report['persons'] == 4
    assert report['refused'] == {
        'crowd': 1,
        'small': 2,
        'keypoints': 1,
        'no image': 1
    }
    keys = (out / 'coco.txt').read_text().splitlines()
    assert keys == [
        'coco/a/p_14.jpg', 'coco/a/p_7.jpg', 'coco/a/p_8.jpg', 'coco/q_9.jpg'
    ]
    crop = cv2.imread(str(out / 'coco/a/p_7.jpg'))
    whole = cv2.imread(str(tmp_path / 'images/a/p.jpg'))
    # 60x120 at (50, 40), times 1.1: x 47..113, y 34..166
    assert crop.shape == (132, 66, 3)
    assert np.abs(crop - whole[34:166, 47:113].astype(int)).mean() < 3
    assert cv2.imread(str(out / 'coco/a/p_8.jpg')).shape == (126, 63, 3)
    assert len(PersonImages(dict(data_root=str(out),
                                 ann_file='coco.txt'))) == 4


def test_box_from_keypoints():
    options = CropOptions(keypoint_enlarge=1.5)
    # Points span 40x100 about (80, 100).
    assert person_box(dict(keypoints=POINTS),
                      options) == [50.0, 25.0, 60.0, 150.0]
    assert person_box(dict(keypoints=[0] * 51), options) is None
    assert refusal({}, None, options) == 'box'


def test_settings_change_what_is_kept(tmp_path):
    anns = [person(1, (0, 0, 20, 30)), person(2, keypoints=[0] * 51)]
    files = write_set(tmp_path, anns)
    options = CropOptions(min_height=30, min_width=20, min_keypoints=0)
    report = crop_persons(*files, str(tmp_path / 'o'), 'x', options)
    assert report['persons'] == 2


def test_broken_images_are_counted(tmp_path):
    files = write_set(tmp_path, [person(1), person(2, image=2)])
    (tmp_path / 'images/q.jpg').write_text('text')
    report = crop_persons(*files, str(tmp_path / 'o'), 'x')
    assert report['persons'] == 1 and report['broken'][0].startswith('q.jpg')
    (tmp_path / 'images/a/p.jpg').unlink()
    with pytest.raises(ValueError, match='none of 2 images'):
        crop_persons(*files, str(tmp_path / 'o'), 'x')


def test_evaluation_splits_are_refused(tmp_path):
    files = write_set(tmp_path, [person(1)], 'person_keypoints_val2017.json')
    with pytest.raises(ValueError, match='evaluation split'):
        crop_persons(*files, str(tmp_path / 'o'), 'x')
    report = crop_persons(
        *files, str(tmp_path / 'o'), 'x', allow_eval_split=True)
    assert report['persons'] == 1


def test_wrong_files(tmp_path):
    out = str(tmp_path / 'o')
    with pytest.raises(FileNotFoundError, match='none.json'):
        crop_persons('none.json', str(tmp_path), out, 'x')
    with pytest.raises(FileNotFoundError, match="folder 'gone'"):
        crop_persons('none.json', 'gone', out, 'x')
    files = write_set(tmp_path, [person(1, category_id=2)])
    with pytest.raises(ValueError, match='no person to cut'):
        crop_persons(*files, out, 'x')
    names = [dict(id=1, name='cat'), dict(id=2, name='dog')]
    files = write_set(tmp_path, [person(1)], categories=names)
    with pytest.raises(ValueError, match="none named 'person'"):
        crop_persons(*files, out, 'x')
    (tmp_path / 'list.json').write_text('[]')
    with pytest.raises(ValueError, match='not COCO-style'):
        crop_persons(str(tmp_path / 'list.json'), files[1], out, 'x')


def photos(*names, **size):
    return [dict(id=i + 1, file_name=n, **size) for i, n in enumerate(names)]


@pytest.mark.parametrize('name', [
    '../p.jpg', 'a/../../p.jpg', '/etc/p.jpg', '..\\p.jpg', 'C:\\p.jpg',
    'c:p.jpg', '\\\\host\\p.jpg', 'p\0.jpg', 'p\n.jpg', '..', '.', '/',
    'x' * 300 + '.jpg', 'ü' * 101 + '.jpg'
])  # yapf: disable
def test_file_names_that_lead_elsewhere_are_refused(tmp_path, name):
    files = write_set(tmp_path / 'set', [person(1)], images=photos(name))
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(ValueError) as error:
        crop_persons(*files, str(tmp_path / 'set/out'), 'x')
    assert files[0] in str(error.value) and 'image 1 ' in str(error.value)
    assert repr(name)[1:40] in str(error.value)
    assert sorted(tmp_path.rglob('*')) == before


@pytest.mark.parametrize('number', [
    '../../7', '/7', 'a/7', 'a\\7', '..', '', '7\n', '7\0', 'C:7', 'x' * 300
])  # yapf: disable
def test_ids_that_lead_elsewhere_are_refused(tmp_path, number):
    files = write_set(tmp_path / 'set', [person(number)])
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(ValueError, match="annotation '") as error:
        crop_persons(*files, str(tmp_path / 'set/out'), 'x')
    assert files[0] in str(error.value)
    assert sorted(tmp_path.rglob('*')) == before


@pytest.mark.parametrize('name', ['../x', '/x', 'a/b', '', '..', 'a\nb'])
def test_names_of_sets_that_lead_elsewhere_are_refused(tmp_path, name):
    files = write_set(tmp_path, [person(1)])
    with pytest.raises(ValueError, match='data set'):
        crop_persons(*files, str(tmp_path / 'o'), name)


def test_links_out_of_the_folder_are_refused(tmp_path):
    files = write_set(tmp_path, [person(1)])
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'o/x').mkdir(parents=True)
    (tmp_path / 'o/x/a').symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(ValueError, match="x/a' leads to '.*elsewhere'"):
        crop_persons(*files, str(tmp_path / 'o'), 'x')
    assert not list((tmp_path / 'elsewhere').iterdir())
    # The folder itself may be a link, and a file that is one is replaced.
    (tmp_path / 'link').symlink_to(tmp_path / 'elsewhere')
    (tmp_path / 'mine.jpg').write_text('mine')
    (tmp_path / 'elsewhere/x/a').mkdir(parents=True)
    (tmp_path / 'elsewhere/x/a/p_1.jpg').symlink_to(tmp_path / 'mine.jpg')
    crop_persons(*files, str(tmp_path / 'link'), 'x')
    assert (tmp_path / 'mine.jpg').read_text() == 'mine'


def test_windows_names_are_found(tmp_path):
    files = write_set(tmp_path, [person(1)], images=photos('.\\a\\p.jpg'))
    crop_persons(*files, str(tmp_path / 'o'), 'x')
    assert (tmp_path / 'o/x.txt').read_text() == 'x/a/p_1.jpg\n'
    assert (tmp_path / 'o/x/a/p_1.jpg').exists()


def test_repeated_ids_get_files_of_their_own(tmp_path):
    boxes = [(10, 10, 50, 100), (20, 20, 60, 110), (30, 30, 70, 120)]
    anns = [person(7, box) for box in boxes] + [person(7, image=2)]
    files = write_set(tmp_path, anns)
    report = crop_persons(*files, str(tmp_path / 'o'), 'x',
                          CropOptions(enlarge=1))
    keys = (tmp_path / 'o/x.txt').read_text().splitlines()
    expected = [f'x/{k}.jpg' for k in ('a/p_7', 'a/p_7-2', 'a/p_7-3', 'q_7')]
    assert keys == sorted(expected)
    assert (report['persons'], report['renamed']) == (4, 2)
    assert json.loads((tmp_path / 'o/x.txt.json').read_text())['renamed'] == 2
    for key, box in zip(expected, boxes):
        assert cv2.imread(str(tmp_path / 'o' / key)).shape[:2] == box[:1:-1]


def test_stems_that_differ_by_case_or_suffix_alone(tmp_path):
    names = ('q.jpg', 'q.png', 'Q.jpg')
    for name in names[1:]:
        write_tree(tmp_path / 'images', [name], height=200, width=160)
    files = write_set(
        tmp_path, [person(1, image=i) for i in (1, 2, 3)],
        images=photos(*names))
    report = crop_persons(*files, str(tmp_path / 'o'), 'x')
    assert report['persons'] == 3 and report['renamed'] == 2
    assert len(list((tmp_path / 'o/x').iterdir())) == 3


@pytest.mark.parametrize('as_shown', [True, False])
@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp'])
def test_turned_pictures_are_cut_where_the_labels_are(tmp_path, suffix,
                                                      as_shown):
    """A red person in a grey picture, stored lying on its side."""
    shown = np.full((200, 160, 3), 128, np.uint8)
    shown[40:160, 50:110] = (250, 0, 0)
    box = (50, 40, 60, 120)
    stored = np.rot90(shown)  # anticlockwise; orientation 6 turns it back
    if not as_shown:
        box = (40, 50, 120, 60)
    exif = Image.Exif()
    exif[0x112] = 6
    height, width = shown.shape[:2] if as_shown else stored.shape[:2]
    files = write_set(
        tmp_path, [person(1, box)],
        images=photos(f't{suffix}', height=height, width=width))
    Image.fromarray(stored).save(
        tmp_path / f'images/t{suffix}', exif=exif.tobytes())
    options = CropOptions(enlarge=1, min_height=0)
    crop_persons(*files, str(tmp_path / 'o'), 'x', options)
    crop = cv2.imread(str(tmp_path / 'o/x/t_1.jpg'))[..., ::-1]
    assert crop.shape[:2] == box[:1:-1]
    assert np.abs(crop.mean((0, 1)) - (250, 0, 0)).max() < 6


@pytest.mark.parametrize('workers', [0, 2])
def test_pictures_of_another_size_are_named(tmp_path, workers):
    images = photos('a/p.jpg') + [
        dict(id=2, file_name='q.jpg', height=400, width=320)
    ]
    files = write_set(tmp_path, [person(1), person(2, image=2)], images=images)
    report = crop_persons(*files, str(tmp_path / 'o'), 'x', workers=workers)
    assert report['persons'] == 1
    assert report['broken'][0].startswith(
        'q.jpg has 200x160 pixels (height x width), its labels are of 400x320')


def test_crops_that_cannot_be_encoded_are_not_counted(tmp_path):
    """A JPEG has at most 65 500 pixels a side."""
    wide = np.zeros((120, 66_000, 3), np.uint8)
    files = write_set(tmp_path, [
        person(1), person(2, (0, 0, 66_000, 120), image=2)])  # yapf: disable
    cv2.imwrite(str(tmp_path / 'wide.png'), wide)
    (tmp_path / 'wide.png').rename(tmp_path / 'images/q.jpg')
    report = crop_persons(*files, str(tmp_path / 'o'), 'x')
    assert report['persons'] == 1
    assert 'q.jpg: its crop of 120x66000 pixels cannot' in report['broken'][0]


@pytest.mark.parametrize('workers', [0, 1])
def test_a_full_disk_is_named(tmp_path, monkeypatch, workers):
    files = write_set(tmp_path, [person(1)])

    def full(source, target):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError, match='p_1.jpg.*No space left.*make room'):
        crop_persons(*files, str(tmp_path / 'o'), 'x', workers=workers)
    assert not [p for p in (tmp_path / 'o').rglob('*') if p.is_file()]


def test_large_pictures_are_broken(tmp_path):
    data = bytearray(cv2.imencode('.png', np.zeros((9, 9, 3), np.uint8))[1])
    data[16:24] = (30_000).to_bytes(4, 'big') * 2
    files = write_set(tmp_path, [person(1), person(2, image=2)])
    (tmp_path / 'images/q.jpg').write_bytes(data)
    report = crop_persons(*files, str(tmp_path / 'o'), 'x')
    assert 'q.jpg: 30000x30000 pixels' in report['broken'][0]
