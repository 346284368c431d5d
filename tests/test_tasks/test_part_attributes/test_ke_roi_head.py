import numpy as np
import pytest
import torch

pytest.importorskip('mmdet')

from mmdet.models.roi_heads import StandardRoIHead  # noqa: E402
from mmdet.structures import DetDataSample  # noqa: E402
from mmdet.structures.mask import BitmapMasks  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

from .tiny_head import SIDE  # noqa: E402
from .tiny_head import build_head  # noqa: E402
from .tiny_head import maps  # noqa: E402
from .tiny_head import proposals  # noqa: E402
from .tiny_head import write_matrix  # noqa: E402

HUMAN = 46


@pytest.fixture(scope='module')
def knowledge(tmp_path_factory):
    return write_matrix(tmp_path_factory.mktemp('knowledge'))


@pytest.fixture
def head(knowledge):
    return build_head(knowledge)


def favour(head, *classes):
    """Make all proposals probable of some classes."""
    with torch.no_grad():
        head.bbox_head.fc_cls.bias.zero_()
        head.bbox_head.fc_cls.bias[list(classes)] = 6.


def sample(labels=(10, 31, HUMAN), scale=1., name=7):
    """A picture of ``SIDE`` pixels with objects one below the other."""
    size = int(SIDE / scale)
    picture = DetDataSample(
        metainfo=dict(
            img_id=name,
            img_shape=(SIDE, SIDE),
            ori_shape=(size, size),
            scale_factor=(scale, scale)))
    boxes = torch.tensor([[4., 4 + 9 * i, 40, 30 + 9 * i]
                          for i in range(len(labels))]).reshape(-1, 4)
    masks = np.zeros((len(labels), SIDE, SIDE), np.uint8)
    masks[:, 10:30, 5:35] = 1
    attributes = torch.zeros(len(labels), 294, dtype=torch.uint8)
    for row, label in zip(attributes, labels):
        row[label] = 1  # to tell them apart
    picture.gt_instances = InstanceData(
        bboxes=boxes,
        labels=torch.tensor(labels, dtype=torch.long),
        masks=BitmapMasks(masks, SIDE, SIDE),
        attributes=attributes)
    picture.ignored_instances = InstanceData(
        bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    return picture


def predict(head, *samples, **kwargs):
    found = [proposals(seed=2 + i) for i in range(len(samples))]
    with torch.no_grad():
        return head.predict(maps(len(samples)), found, list(samples), **kwargs)


# training


def heard(head):
    """What the attribute head is asked, and told, from now on."""
    calls = []
    ask, loss = head.attribute_head.forward, head.attribute_head.loss

    def listen(garments, weights):
        calls.append(garments)
        return ask(garments, weights)

    def learn(logits, attributes):
        calls.append(attributes)
        return loss(logits, attributes)

    head.attribute_head.forward, head.attribute_head.loss = listen, learn
    return calls


def test_losses(head):
    losses = head.train().loss(
        maps(2), [proposals(), proposals(seed=3)],
        [sample(), sample(name=8)])
    assert set(losses) == {
        'loss_cls', 'loss_bbox', 'acc', 'loss_mask', 'loss_attribute'
    }
    total = sum(v for k, v in losses.items() if k.startswith('loss'))
    total.backward()
    assert total.isfinite()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name


def test_labelled_boxes_learn_first_without_humans(head):
    """No proposal overlaps by half: positive are the labelled alone."""
    calls = heard(head)
    far = InstanceData(
        bboxes=torch.tensor([[50., 50, 60, 60]]), scores=torch.ones(1))
    pictures = [sample(), sample((31, 23, 0, HUMAN), name=8)]
    head.loss(maps(2), [far, far.clone()], pictures)
    garments, attributes = calls
    assert garments.labels.tolist() == [10, 31, 31, 23, 0]
    assert attributes.nonzero()[:, 1].tolist() == [10, 31, 31, 23, 0]
    assert garments.wearer.tolist() == [0, 0, 1, 1, 1]
    wanted = torch.cat([p.gt_instances.bboxes[:-1] for p in pictures])
    assert torch.equal(garments.boxes, wanted)
    humans = torch.cat([p.gt_instances.bboxes[-1:] for p in pictures])
    assert torch.equal(garments.human_boxes, humans)
    assert garments.features.shape == (5, 8, 7, 7)
    assert garments.humans.shape == (2, 8, 14, 14)
    assert torch.allclose(garments.scores.sum(1), torch.ones(5))


def test_at_most_32_of_a_picture(head):
    """And of these, humans are left out after counting."""
    calls = heard(head)
    head.max_objects = 4
    labels = (10, 31, 23, HUMAN, 0, HUMAN)
    head.loss(maps(), [proposals()], [sample(labels)])
    assert calls[0].labels.tolist() == [10, 31, 23]


def test_scores_are_those_of_the_object(head):
    """Rows of the box head: of each picture positive ones, then others."""
    calls = heard(head)
    pictures = [sample(), sample((0, HUMAN), name=8)]
    found = [proposals(), proposals(seed=5)]
    x = maps(2)
    with torch.no_grad():
        head.loss(x, found, pictures)
        garments = calls[0]
        rois = torch.cat([garments.wearer[:, None].float(), garments.boxes], 1)
        wanted = head._bbox_forward(x, rois)['cls_score'].softmax(1)
    assert torch.allclose(garments.scores, wanted, atol=1e-5)


def test_a_picture_of_a_human_alone_learns_no_attribute(head):
    losses = head.train().loss(maps(), [proposals()], [sample((HUMAN, ))])
    assert losses['loss_attribute'].item() == 0
    losses['loss_attribute'].backward()


@pytest.mark.parametrize('labels', [(), (10, 31), (HUMAN, 10)])
def test_human_must_be_the_last(head, labels):
    with pytest.raises(
            ValueError, match="picture 7: the last object must be 'human'"):
        head.loss(maps(), [proposals()], [sample(labels)])


def test_attributes_must_be_packed(head):
    picture = sample()
    del picture.gt_instances.attributes
    with pytest.raises(
            ValueError, match='picture 7: .* no attributes: use Load.*Pack'):
        head.loss(maps(), [proposals()], [picture])


# testing


def test_boxes_are_the_parents_with_their_proposals_scores(head):
    favour(head, 10, 31, HUMAN)
    metas = [sample().metainfo, sample(name=8).metainfo]
    found = [proposals(), proposals(seed=3)]
    with torch.no_grad():
        ours = head.predict_bbox(maps(2), metas, found, head.test_cfg)
        theirs = StandardRoIHead.predict_bbox(head, maps(2), metas, found,
                                              head.test_cfg)
    for own, other in zip(ours, theirs):
        assert len(own) == 12
        for key in ('bboxes', 'scores', 'labels'):
            assert torch.equal(own[key], other[key])
        rows = torch.arange(12)
        assert torch.equal(own.class_scores[rows, own.labels], own.scores)
        assert torch.allclose(own.class_scores.sum(1), torch.ones(12))


def test_results(head):
    favour(head, 10, 31, HUMAN)
    found, = predict(head, sample())
    count = len(found)
    assert 0 < count < 12 and HUMAN not in found.labels
    assert found.masks.shape == (count, SIDE, SIDE)
    assert found.attributes.shape == (count, 294)
    assert found.attributes.dtype == torch.bool
    chances = found.attribute_scores
    assert (chances > 0).all() and (chances < 1).all()
    assert torch.equal(found.attributes, chances > 0.3)
    assert (found.scores.diff() <= 0).all()
    assert set(found.keys()) == {
        'bboxes', 'scores', 'labels', 'masks', 'attributes', 'attribute_scores'
    }


def test_attributes_of_what_was_found(head):
    """The head gets the final boxes, and the best human's."""
    favour(head, 10, 31, HUMAN)
    calls = heard(head)
    with torch.no_grad():
        whole, = head.predict_bbox(maps(), [sample().metainfo], [proposals()],
                                   head.test_cfg)
    found, = predict(head, sample())
    garments = calls[0]
    humans = whole[whole.labels == HUMAN]
    assert torch.equal(garments.human_boxes, humans.bboxes[:1])
    assert humans.scores[0] == humans.scores.max()
    assert torch.equal(garments.boxes, found.bboxes)
    assert torch.equal(garments.labels, found.labels)


def test_pictures_of_a_batch_do_not_meet(head):
    favour(head, 10, 31, HUMAN)
    both = predict(head, sample(), sample(name=8))
    x = maps(2)
    for i in range(2):
        own = tuple(level[i:i + 1] for level in x)
        with torch.no_grad():
            alone, = head.predict(own, [proposals(seed=2 + i)], [sample()])
        assert torch.equal(alone.labels, both[i].labels)
        assert torch.allclose(
            alone.attribute_scores, both[i].attribute_scores, atol=1e-5)


def test_rescaled(head):
    favour(head, 10, 31, HUMAN)
    plain, = predict(head, sample(scale=.5))
    large, = predict(head, sample(scale=.5), rescale=True)
    assert torch.allclose(large.bboxes, 2 * plain.bboxes)
    assert large.masks.shape[1:] == (2 * SIDE, 2 * SIDE)
    assert torch.equal(large.attribute_scores, plain.attribute_scores)


def test_nobody_to_wear_them(head):
    """Lists are empty then, as in the reference."""
    favour(head, 10, 31)
    head.test_cfg.score_thr = .1
    found, = predict(head, sample())
    assert len(found) == 12
    assert not found.attributes.any() and not found.attribute_scores.any()


@pytest.mark.parametrize('fallback', ['union', 'image'])
def test_somebody_is_guessed(knowledge, fallback):
    head = build_head(knowledge, human_fallback=fallback)
    favour(head, 10, 31)
    head.test_cfg.score_thr = .1
    calls = heard(head)
    found, = predict(head, sample(scale=.5))
    assert (found.attribute_scores > 0).all()
    box, = calls[0].human_boxes
    if fallback == 'image':
        assert box.tolist() == [0, 0, SIDE, SIDE]
    else:  # 10 pixels of the picture are 5 of the input
        near = found.bboxes[:, :2].min(0).values - 5
        far = found.bboxes[:, 2:].max(0).values + 5
        wanted = torch.cat([near.clamp(min=0), far.clamp(max=SIDE)])
        assert torch.allclose(box, wanted)


def test_nothing_is_found(head):
    favour(head, HUMAN)
    head.test_cfg.score_thr = .1
    alone, = predict(head, sample())
    with torch.no_grad():
        none, = head.predict(maps(), [proposals(0)], [sample()])
        some, no = head.predict(
            maps(2), [proposals(), proposals(0)],
            [sample(), sample(name=8)])
    for found in (alone, none, some, no):
        assert len(found) == 0
        assert found.attributes.shape == (0, 294)
        assert found.masks.shape == (0, SIDE, SIDE)


def test_refused_settings(knowledge):
    with pytest.raises(ValueError, match="must be one of .*got 'guess'"):
        build_head(knowledge, human_fallback='guess')
    with pytest.raises(ValueError, match='needs a mask_head'):
        build_head(knowledge, mask_head=None)
