import numpy as np
import pytest

from saip_mm.datasets.keypoint_file import KeypointFile, write_keypoints
from saip_mm.datasets.prepare.keypoint_journal import ROW, KeypointJournal

KEYS = ['a.jpg', 'b/c.jpg', 'd.jpg', 'e.jpg']


def points_of(place):
    return None if place == 1 else np.full((17, 3), 10. + place)


class Model:
    """Finds keypoints until it is cut; remembers where it was asked."""

    def __init__(self, cut=len(KEYS)):
        self.cut = cut
        self.starts = []

    def find(self, start):
        self.starts.append(start)
        for place in range(start, len(KEYS)):
            if place == self.cut:
                raise KeyboardInterrupt
            yield points_of(place)


def make(out, model, by='model'):
    journal = KeypointJournal(out, KEYS, checkpoint=by)
    write_keypoints(out, KEYS, journal.rows(model.find))
    journal.remove()


@pytest.mark.parametrize('cut', [0, 1, 3])
@pytest.mark.parametrize('half', [0, 7])
def test_a_cut_run_goes_on(cut, half, tmp_path):
    out, journal = str(tmp_path / 'k.npy'), tmp_path / 'k.npy.unfinished'
    with pytest.raises(KeyboardInterrupt):
        make(out, Model(cut))
    assert [p.name for p in tmp_path.iterdir()] == [journal.name]
    with open(journal, 'ab') as file:  # a machine that stopped midway
        file.write(b'x' * half)
    model = Model()
    make(out, model)
    assert model.starts == [cut]
    found = KeypointFile(out, KEYS)
    for place in range(len(KEYS)):
        expected = points_of(place)
        expected = np.zeros((17, 3)) if expected is None else expected
        np.testing.assert_array_equal(found.of(place), expected)
    assert not journal.exists()


def test_all_but_the_last_step(tmp_path):
    """All rows are there, the file is not: nothing is found anew."""
    out = str(tmp_path / 'k.npy')
    list(KeypointJournal(out, KEYS).rows(Model().find))
    journal, model = KeypointJournal(out, KEYS), Model(cut=0)
    assert journal.done == len(KEYS)
    rows = list(journal.rows(model.find))
    assert len(rows) == len(KEYS)
    np.testing.assert_array_equal(rows[3], points_of(3))


def test_cut_in_its_first_line(tmp_path):
    out, journal = str(tmp_path / 'k.npy'), tmp_path / 'k.npy.unfinished'
    journal.write_bytes(b'{"pict')
    make(out, Model())
    assert KeypointFile(out, KEYS).of(3)[0, 0] == 13


def test_rows_are_in_the_file_as_they_are_found(tmp_path):
    """What a killed process leaves: all but what the buffer holds."""
    out = str(tmp_path / 'k.npy')
    keys = [f'{i}.jpg' for i in range(100)]
    rows = KeypointJournal(
        out, keys).rows(lambda start: (np.ones((17, 3)) for _ in keys))
    for _ in range(90):
        next(rows)
    there = (tmp_path / 'k.npy.unfinished').stat().st_size
    assert 40 * ROW < there < 91 * ROW


def test_other_pictures_or_another_model_are_refused(tmp_path):
    out = str(tmp_path / 'k.npy')
    with pytest.raises(KeyboardInterrupt):
        make(out, Model(2))
    with pytest.raises(
            ValueError,
            match='k.npy.unfinished.* checkpoint model, not other: finish'):
        make(out, Model(), 'other')
    with pytest.raises(ValueError, match='pictures 4, not 3, keys .*delete'):
        KeypointJournal(out, KEYS[:3], checkpoint='model')
    (tmp_path / 'k.npy.unfinished').write_bytes(b'some other file\n')
    with pytest.raises(ValueError, match='checkpoint None, not model'):
        make(out, Model())
