import numpy as np

from saip_mm.synthetic.labels.detector import detect

SIZE = (300, 400)
PEOPLE = [(20., 40., 60., 200.), (150., 90., 50., 140.),
          (360., 50., 40., 150.)]
SMALL = (250., 100., 6., 14.)


def overlap(a, b):
    """Intersection over union of two boxes x, y, w, h."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(w, 0) * max(h, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def runs(people=PEOPLE, traps=(), count=200):
    for number in range(count):
        yield detect(np.random.default_rng(number), people, traps, SIZE)


def test_boxes_lie_in_the_picture_and_scores_fall():
    for found in runs(traps=[(0., 0., 30., 60.)]):
        scores = [score for _, score in found]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score < 1 for score in scores)
        for x, y, w, h in (box for box, _ in found):
            assert x >= 0 and y >= 0 and w >= 2 and h >= 2
            assert x + w <= SIZE[1] + .01 and y + h <= SIZE[0] + .01


def test_most_people_are_found_but_not_exactly():
    best = np.array([[
        max((overlap(box, person), score) for box, score in found)
        for person in PEOPLE
    ] for found in runs()])
    overlaps, scores = best[..., 0], best[..., 1]
    assert .80 < (overlaps > .5).mean() < .99
    assert .35 < (overlaps > .75).mean() < .90
    assert (overlaps > .98).mean() < .1
    assert scores[overlaps > .8].mean() > scores[overlaps < .6].mean() + .1


def test_small_people_are_missed_more_often():

    def rate(person):
        return np.mean([
            any(overlap(box, person) > .3 for box, _ in found)
            for found in runs([person])
        ])

    assert rate(SMALL) < rate(PEOPLE[0]) - .1


def test_things_are_taken_for_people():
    alarms = [len(found) for found in runs([])]
    assert np.mean(alarms) > 3
    trap = (100., 20., 50., 90.)
    caught = [
        any(overlap(box, trap) > .6 for box, _ in found)
        for found in runs([], [trap])
    ]
    assert .3 < np.mean(caught) < .7
    sure = [score for found in runs([]) for _, score in found]
    assert np.mean(sure) < .25  # mostly with low scores


def test_people_are_found_twice_with_a_low_score():
    twice = 0
    for found in runs(PEOPLE[:1]):
        scores = [s for box, s in found if overlap(box, PEOPLE[0]) > .5]
        twice += len(scores) > 1 and scores[1] < .5
    assert twice > 40
