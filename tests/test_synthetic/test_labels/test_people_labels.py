import numpy as np
import pytest

from saip_mm.synthetic.contact_sheet import contact_sheet
from saip_mm.synthetic.labels.attributes import PA100K, PETA
from saip_mm.synthetic.labels.landmarks import COCO_NAMES
from saip_mm.synthetic.people.palette import CLOTH, HAIR
from saip_mm.synthetic.people.parts import ID, NAMES
from .._scenes import ALONE, CROWDED, labelled

SCENES = [(n, ALONE) for n in range(12)] + [(n, CROWDED) for n in range(24)]
HEAD = (ID['Face'], ID['Sunglasses'])
PARTS = dict(
    nose=HEAD, left_eye=HEAD, right_eye=HEAD, left_ear=HEAD, right_ear=HEAD)


def everybody():
    for number, options in SCENES:
        scene, labels = labelled(number, options)
        for person in labels.people():
            yield labels, person


def pixel(point):
    return int(round(point[1])), int(round(point[0]))


def test_visible_keypoints_lie_in_mask_and_part():
    seen = 0
    for labels, person in everybody():
        parts = labels.parts()
        for name, point in zip(COCO_NAMES, person.keypoints):
            if point[2] < 2:
                continue
            seen += 1
            assert person.mask[pixel(point)], name
            assert parts[pixel(point)] in PARTS.get(name, range(1, 20)), name
    assert seen > 200


def test_hidden_and_absent_points():
    height, width = labelled(0)[1].ids.shape
    for labels, person in everybody():
        height, width = labels.ids.shape
        assert person.wholebody.shape == (133, 3)
        absent = person.wholebody[:, 2] == 0
        assert not person.wholebody[absent].any()
        points = person.wholebody[~absent]
        assert (points[:, :2] >= 0).all()
        assert (points[:, 0] <= width - 1).all()
        assert (points[:, 1] <= height - 1).all()


def test_visible_wholebody_points_lie_in_the_mask():
    groups = dict(foot=0, face=0, hand=0)
    for labels, person in everybody():
        for i, point in enumerate(person.wholebody[17:], 17):
            if point[2] == 2:
                groups['foot' if i < 23 else 'face' if i < 91 else 'hand'] += 1
                assert person.mask[pixel(point)], i
    assert min(groups.values()) > 50


def test_boxes_bound_masks():
    for labels, person in everybody():
        if person.visible_box is None:
            assert not person.mask.any()
            continue
        x, y, w, h = (int(v) for v in person.visible_box)
        assert person.mask[y:y + h, x:x + w].sum() == person.mask.sum()
        for edge in (person.mask[y, x:x + w], person.mask[y + h - 1, x:x + w],
                     person.mask[y:y + h, x], person.mask[y:y + h, x + w - 1]):
            assert edge.any()
        fx, fy, fw, fh = person.full_box
        assert fx <= x and fy <= y
        assert fx + fw >= x + w and fy + fh >= y + h
        if person.head_box is not None:
            hx, hy, hw, hh = person.head_box
            assert fx <= hx and hx + hw <= fx + fw
            assert fy <= hy and hy + hh <= fy + fh


def test_full_head_box_holds_face_and_hat():
    near = (ID['Face'], ID['Sunglasses'], ID['Hat'])
    hats = 0
    for labels, person in everybody():
        x, y, w, h = person.full_head_box
        fx, fy, fw, fh = person.full_box
        assert fx <= x and fy <= y
        assert x + w <= fx + fw and y + h <= fy + fh
        assert h < .4 * fh  # hair on the shoulders is left out
        rows, columns = (person.mask & np.isin(labels.parts(), near)
                         & labels.heads()).nonzero()
        hats += (labels.parts()[rows, columns] == ID['Hat']).any()
        slack = .12 * w + 1.5  # ears and noses stick out of a skull
        assert (columns >= x - slack).all()
        assert (columns <= x + w + slack).all()
        assert (rows >= y - 1).all() and (rows <= y + h + 1).all()
    assert hats > 3


def test_garments_are_left_out_when_asked():
    _, labels = labelled(0)
    person, same = labels.person(), labels.person(garments=False)
    assert person.garments and same.garments == {}
    assert (person.mask == same.mask).all()
    assert (person.wholebody == same.wholebody).all()


def test_parts_belong_to_people_and_garments_to_parts():
    classes = set()
    for labels, person in everybody():
        parts, owners = labels.parts(), labels.owners()
        classes |= set(np.unique(parts))
        assert ((parts > 0) == (owners >= 0)).all()
        assert (person.mask == (owners == person.number)).all()
        upper = person.garments.get('upper')
        if upper is not None:
            allowed = [
                ID[n] for n in ('UpperClothes', 'Dress', 'Coat', 'Jumpsuits')
            ]
            assert np.isin(parts[upper], allowed).all()
        for name, mask in person.garments.items():
            assert mask.any(), name
            if name.endswith('_sleeve'):
                assert person.garments['upper'][mask].all()
    assert len(classes) > 14


def test_cihp_has_skin_of_the_trunk_where_lip_has_faces():
    for labels, _ in everybody():
        lip, cihp = labels.parts(), labels.parts(cihp=True)
        skin = (cihp == 10)
        assert (lip[skin] == ID['Face']).all()
        assert (cihp[lip == ID['Jumpsuits']] == ID['Dress']).all()


@pytest.mark.parametrize('yaw, sign', [(0., 1), (np.pi, -1)])
def test_left_and_right_follow_the_view(yaw, sign):
    for number in range(8):
        _, labels = labelled(number, ALONE, yaw)
        points = labels.person().keypoints
        left, right = (
            points[COCO_NAMES.index(f'{s}_shoulder')]
            for s in ('left', 'right'))
        assert sign * (left[0] - right[0]) > 0
        parts, columns = labels.parts(), np.arange(labels.ids.shape[1])
        shoes = [(parts == ID[f'{s}-shoe']).sum(0) for s in ('Left', 'Right')]
        if yaw == 0 and all(s.any() for s in shoes):
            middle = [(columns * s).sum() / s.sum() for s in shoes]
            assert middle[0] > middle[1]


@pytest.mark.parametrize('yaw', [np.pi / 2, -np.pi / 2])
def test_profiles_hide_the_far_ear_and_shoulder(yaw):
    """Looking to the picture's right, the left side is the far one."""
    far, near = ('left', 'right') if yaw > 0 else ('right', 'left')
    seen = dict(far=0, near=0)
    for number in range(12):
        points = labelled(number, ALONE, yaw)[1].person().keypoints
        for key, side in (('far', far), ('near', near)):
            for joint in ('ear', 'shoulder'):
                index = COCO_NAMES.index(f'{side}_{joint}')
                seen[key] += points[index, 2] == 2
    assert seen['far'] == 0
    assert seen['near'] >= 10


def test_backs_show_no_face():
    for number in range(8):
        scene, labels = labelled(number, ALONE, np.pi)
        turned = scene.people[0].head_matrix[2, 2] < -.8
        if turned:
            assert not labels.person().keypoints[:3].any()


def test_captions_name_what_is_there():
    for number in range(40):
        _, labels = labelled(number % 12)
        person = labels.person()
        who = person.identity
        worn = [who.upper, who.lower, who.shoes, who.hat, who.scarf, who.bag]
        colours = {w.color for w in worn if w} | {w.second for w in worn if w}
        for text in person.captions(np.random.default_rng(number)):
            words = {w.strip('.,') for w in text.lower().split()}
            named = words & (set(CLOTH) | set(HAIR))
            assert named <= colours | {who.hair_color}
            assert who.upper.color in words and who.upper.kind in text
            assert text[0].isupper() and text.endswith('.')
            assert (words & {'she', 'woman', 'lady', 'girl', 'female'}
                    == set()) or who.female


def test_captions_vary_and_leave_out_what_is_hidden():
    _, labels = labelled(2)
    person = labels.person()
    texts = person.captions(np.random.default_rng(0), 12)
    assert len(set(texts)) > 5
    person.garments.pop('left_shoe', None)
    person.garments.pop('right_shoe', None)
    for text in person.captions(np.random.default_rng(0), 12):
        assert person.identity.shoes.kind not in text


def test_attributes_are_consistent():
    assert len(PA100K) == 26 and len(PETA) == 35
    for _, person in everybody():
        facts = dict(zip(PA100K, person.pa100k()))
        assert facts['ShortSleeve'] + facts['LongSleeve'] == 1
        assert facts['Front'] + facts['Side'] + facts['Back'] == 1
        ages = ('AgeOver60', 'Age18-60', 'AgeLess18')
        assert sum(facts[a] for a in ages) == 1
        assert facts['Trousers'] + facts['Shorts'] + facts['Skirt&Dress'] == 1
        known = dict(zip(PETA, person.peta()))
        assert known['personalMale'] == 1 - facts['Female']
        assert known['carryingBackpack'] == facts['Backpack']
        assert sum(known[a] for a in PETA if a.startswith('personalL')) == 1


def test_fashion_ids_exist_and_go_with_their_categories():
    ids = set(range(235)) | {281, 282, 283} | set(range(285, 341))
    with_attributes = set(range(13)) | {28, 29, 31, 32, 33}
    found = set()
    for _, person in everybody():
        for category, attributes, mask in person.fashion():
            found.add(category)
            assert 0 <= category < 46 and mask.any()
            assert set(attributes) <= ids
            assert bool(attributes) == (category in with_attributes)
    assert len(found) > 12


@pytest.mark.parametrize('yaw', [0., np.pi])
def test_prints_and_openings_are_named_where_they_are_seen(yaw):
    """Not from behind, where a jacket shows no zip."""
    named = 0
    for number in range(12):
        person = labelled(number, ALONE, yaw)[1].person()
        for name, sign in (('print', 301), ('opening', 225), ('opening', 229)):
            upper = [
                attributes for category, attributes, mask in person.fashion()
                if mask is person.garments.get('upper')
            ]
            shown = any(sign in attributes for attributes in upper)
            assert not shown or name in person.garments
            named += shown
    assert (named > 0) or yaw


def test_contact_sheet_shows_three_panels_each():
    sheet = contact_sheet(rows=1, columns=2, height=64)
    assert sheet.shape == (64 + 80, 2 * 3 * 32, 3)
    assert len(NAMES) == 20
