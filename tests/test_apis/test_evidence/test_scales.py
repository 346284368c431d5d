import pytest

from saip_mm.apis.encoders import normalised, ready_encoder
from saip_mm.apis.evidence.scales import scores_across_scales
from saip_mm.datasets import PictureFiles
from ..conftest import trained_file
from .persons import write_market


@pytest.mark.parametrize('backbone', ['vit', 'starnet'])
def test_only_queries_are_small(backbone, tmp_path):
    """Two persons: each picture's nearest one, by hand."""
    write_market(tmp_path / 'reid')
    path, _ = trained_file(tmp_path, backbone)
    ready = ready_encoder(path)

    def vectors(split, size):
        files = PictureFiles(str(tmp_path / 'reid' / split), size)
        found = [
            ready.encoder(normalised(ready, x[None])).image[0] for x in files
        ]
        return [x / x.norm() for x in found]

    for size in ((64, 32), (32, 16)):
        right = [
            max((0, 1), key=lambda j: (query @ gallery[j]).item()) == i
            for gallery in [vectors('bounding_box_test', (96, 48))]
            for i, query in enumerate(vectors('query', size))
        ]
        expected = 100 * sum(right) / 2
        scores = scores_across_scales(path, str(tmp_path / 'reid'), size)
        assert scores['rank1'] == expected
        # of two pictures the other one is second
        assert scores['map'] == pytest.approx(50 + expected / 2)
