"""Labelled samples as a data set packs them."""
from mmpretrain.structures import DataSample


def make_samples(labels, cams=None):
    found = []
    for i, label in enumerate(labels):
        sample = DataSample(metainfo=dict(img_path=f'{i}.jpg'))
        if cams is not None:
            sample.set_field(int(cams[i]), 'camid', field_type='metainfo')
        found.append(sample.set_gt_label(int(label)))
    return found
