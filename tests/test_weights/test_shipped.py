from saip_mm.weights import shipped
from saip_mm.weights.shipped import shipped_place


def test_an_installed_copy_goes_before_a_clone(tmp_path, monkeypatch):
    places = [str(tmp_path / name) for name in ('installed', 'clone')]
    monkeypatch.setattr(shipped, 'PLACES', tuple(places))
    assert shipped_place('a/b.yml') is None
    for place, name in zip(places[::-1], ('clone', 'installed')):
        (tmp_path / name / 'a').mkdir(parents=True)
        (tmp_path / name / 'a' / 'b.yml').write_text('')
        assert shipped_place('a/b.yml') == place
    assert shipped_place('a') is None  # a folder is no file
