import os

import numpy as np
import pytest
import torch

from saip_mm.datasets import PictureFiles, Unreadable
from saip_mm.datasets.transforms import DecodeImage, ResizePerson
from ._images import NAMES, encode, photo, save, write_tree


def test_a_folder_in_order_as_evaluation_reads_it(tmp_path):
    root = write_tree(tmp_path / 'set', NAMES)
    files = PictureFiles(root, (64, 32))
    assert files.paths == [os.path.join(root, name) for name in sorted(NAMES)]
    for path, picture in zip(files.paths, files):
        expected = ResizePerson((64, 32))(DecodeImage()(dict(img_path=path)))
        assert picture.dtype == torch.uint8
        assert torch.equal(picture, expected['inputs'])


def test_files_and_arrays_are_the_same(tmp_path):
    images = [photo(120, 60, 0), photo(90, 50, 1)]
    for i, image in enumerate(images):
        (tmp_path / f'{i}.png').write_bytes(encode(image, '.png'))
    paths = [tmp_path / '1.png', str(tmp_path / '0.png')]
    files, arrays = PictureFiles(paths), PictureFiles(images)
    assert files.paths == list(map(str, paths)) and len(files) == 2
    assert arrays.paths == ['0', '1']
    assert torch.equal(files[0], arrays[1])
    assert torch.equal(files[1], arrays[0])
    one = PictureFiles(tmp_path / '0.png')
    assert len(one) == 1 and torch.equal(one[0], arrays[0])
    mirrored = PictureFiles(np.stack([images[0]])[:, :, ::-1])
    assert torch.equal(mirrored[0], arrays[0].flip(2))


def test_exif_is_obeyed(tmp_path):
    image = photo(60, 120)
    (tmp_path / 'a.jpg').write_bytes(save(image, 'JPEG', orientation=6))
    (tmp_path / 'b.jpg').write_bytes(save(image, 'JPEG'))
    turned, stored = PictureFiles(tmp_path, (80, 80))
    assert torch.equal(turned, stored.rot90(-1, (1, 2)))


def test_what_cannot_be_read_is_told(tmp_path):
    root = write_tree(tmp_path / 'set', ['a.jpg', 'b.jpg'])
    (tmp_path / 'set/b.jpg').write_bytes(
        (tmp_path / 'set/a.jpg').read_bytes()[:200])
    bad, gone = PictureFiles([f'{root}/b.jpg', f'{root}/c.jpg'])
    assert isinstance(bad, Unreadable) and bad.path == f'{root}/b.jpg'
    assert 'cut off after 200 bytes' in bad.reason
    assert gone == Unreadable(f'{root}/c.jpg', 'No such file or directory')


@pytest.mark.parametrize('pictures, message', [
    ([], 'the list is empty'),
    (np.zeros((2, 8, 4), np.uint8), r'picture 0 is uint8 \(8, 4\)'),
    (np.zeros((2, 8, 4, 3)), r'picture 0 is float64 \(8, 4, 3\)'),
    ([np.zeros((8, 4, 3), np.uint8), 'a.jpg'], 'picture 1 is a str'),
    (np.zeros((1, 0, 4, 3), np.uint8), r'picture 0 is uint8 \(0, 4, 3\)'),
])
def test_no_pictures(pictures, message):
    with pytest.raises(ValueError, match=message):
        PictureFiles(pictures)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="none' does not exist: name"):
        PictureFiles(tmp_path / 'none')
    with pytest.raises(ValueError, match='holds no image'):
        PictureFiles(tmp_path)
