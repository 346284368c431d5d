"""What covers the trunk: upper wear, skirts, the seat of trousers."""
from typing import List

import numpy as np

from .figure import TRUNK, Figure, darker
from .layers import Layer, capsule, ellipse, tube
from .parts import ID, lower_label, upper_label

HEM = {'t-shirt': -.10, 'shirt': -.13, 'sweater': -.07, 'hoodie': -.10}


def upper_layers(fig: Figure) -> List[Layer]:
    """Upper wear, neck, collar, prints."""
    wear = fig.identity.upper
    label = upper_label(wear.kind)
    ease = .002 + .010 * wear.loose + .006 * (wear.kind in ('coat', 'jacket'))
    bottom = HEM.get(wear.kind, -.06) - .05 * wear.loose
    ts = np.array([bottom, .05, .36, .66, .84, .95, 1.0])
    centres, halves = fig.trunk(ts, ease)
    if wear.loose > .5:
        halves[2] = max(halves[2], .94 * halves[1])  # no waist shows
    paint = fig.paint(wear, centres[-1], centres[0], halves.max())
    layers = []
    if wear.kind in ('coat', 'dress'):
        layers.append(_hanging(fig, wear, label, ('upper', ), TRUNK - .3))
    layers.append(
        Layer(
            tube(centres, halves, 1j * fig.up), paint, TRUNK, 'torso', label,
            ('upper', )))
    layers += _front(fig, wear, label, ease)
    return layers + _neck(fig, wear, label)


def _reach(fig, wear):
    """How far a skirt reaches: 1 the knee, 2 the ankle."""
    if wear.kind == 'coat':
        return .45 + .45 * wear.length
    return .62 + .75 * wear.length


def _hanging(fig, wear, label, keys, depth):
    """The part of skirt, dress or coat below the hips."""
    hips = .5 * (fig['left_hip'] + fig['right_hip'])
    knees = .5 * (fig['left_knee'] + fig['right_knee'])
    ankles = .5 * (fig['left_ankle'] + fig['right_ankle'])
    reach = _reach(fig, wear)
    end = hips + reach * (knees - hips)
    if reach > 1:
        end = knees + (reach - 1) * (ankles - knees)
    centres, halves = fig.trunk((.36, .02), .004 + .008 * wear.loose)
    apart = .5 * abs(fig['left_knee'] - fig['right_knee']) * min(reach, 1.)
    flare = (1.02 + .45 * wear.loose) if wear.kind != 'coat' else 1.1
    low = max(halves[1] * flare, apart + .045 * fig.unit)
    middle = .5 * (centres[1] + end)
    outline = tube((centres[0], centres[1], middle, end),
                   (halves[0], halves[1], .5 * (halves[1] + low), low),
                   1j * fig.up)
    paint = fig.paint(wear, centres[0], end, low, .2)
    return Layer(outline, paint, depth, 'skirt', label, keys)


def lower_layers(fig: Figure) -> List[Layer]:
    """Seat of trousers, or the skirt; a belt sometimes."""
    who = fig.identity
    wear = who.upper if who.upper.kind == 'jumpsuit' else who.lower
    if wear is None:
        return []
    if wear.kind == 'skirt':
        return [_hanging(fig, wear, ID['Skirt'], ('lower', ), TRUNK - .4)]
    centres, halves = fig.trunk((-.22, -.10, .05, .30), .003)
    halves[0] *= .62
    key = 'upper' if wear.kind == 'jumpsuit' else 'lower'
    paint = fig.paint(wear, centres[-1], centres[0], halves.max())
    return [
        Layer(
            tube(centres, halves, 1j * fig.up), paint, TRUNK - .5, 'pelvis',
            lower_label(wear.kind), (key, ))
    ]


def _front(fig, wear, label, ease):
    """What only the front shows: opening, inner shirt, logo, pocket."""
    layers = []
    seam = fig.surface(.5)[1]
    if seam > .12 and wear.kind in ('jacket', 'coat', 'shirt'):
        top, low = (fig.surface(t, out=1.05)[0] for t in (.97, -.05))
        line = capsule(top, low, .005 * fig.unit, .005 * fig.unit)
        if wear.kind != 'shirt':
            sides = [fig.surface(.97, a)[0] for a in (-.5, .5)]
            tip = fig.surface(.25 + .4 * (wear.variant % 5) / 5)[0]
            layers.append(
                Layer(
                    np.array([sides[0], tip, sides[1]]),
                    fig.plain(wear.second_rgb, top, low, .06 * fig.unit),
                    TRUNK, 'torso', ID['UpperClothes'], ('inner', )))
        layers.append(
            Layer(line, fig.plain(darker(wear.rgb), top, low, .01 * fig.unit),
                  TRUNK, 'torso', label, ('upper', 'opening')))
    if seam > .12 and wear.pattern == 'logo':
        layers.append(_logo(fig, wear, label, 0.))
    if seam < -.12 and wear.pattern == 'logo' and wear.variant % 3 == 0:
        layers.append(_logo(fig, wear, label, np.pi))
    if seam > .2 and wear.kind in ('hoodie', 'shirt'):
        layers.append(_pocket(fig, wear, label))
    return layers


def _logo(fig, wear, label, angle):
    """A print of one of several forms, foreshortened with the chest."""
    centre = fig.surface(.64, angle)[0]
    squeeze = abs(fig.surface(.64, angle)[1])
    size = (.028 + .022 * ((wear.variant >> 3) % 4) / 3) * fig.unit
    form = wear.variant % 4
    across = -1j * fig.up
    if form == 0:
        points = ellipse(centre, size * squeeze, size, across)
    elif form == 1:
        points = centre + across * size * np.array(
            [squeeze - .6j, squeeze + .6j, -squeeze + .6j, -squeeze - .6j])
    elif form == 2:
        turn = np.exp(2j * np.pi * np.arange(10) / 10)
        star = turn * np.where(np.arange(10) % 2, .45, 1.1)
        points = centre + across * size * (
            star.real * squeeze + 1j * star.imag)
    else:
        points = centre + across * size * np.array([
            1.6 * squeeze - .25j, 1.6 * squeeze + .25j, -1.6 * squeeze + .25j,
            -1.6 * squeeze - .25j
        ])
    paint = fig.plain(wear.second_rgb, centre, centre + fig.up, size, .3)
    return Layer(points, paint, TRUNK, 'torso', label, ('upper', 'print'))


def _pocket(fig, wear, label):
    if wear.kind == 'hoodie':
        spots = [(.10, -.7), (.34, -.4), (.34, .4), (.10, .7)]
    else:
        spots = [(.58, .25), (.72, .25), (.72, .75), (.58, .75)]
    points = np.array([fig.surface(t, a)[0] for t, a in spots])
    paint = fig.plain(
        darker(wear.rgb, .82), points[0], points[1], .05 * fig.unit, .4)
    return Layer(points, paint, TRUNK, 'torso', label, ('upper', 'pocket'))


def _neck(fig, wear, label):
    """Neck, neckline and collar; hood and scarf lie over them."""
    who, unit = fig.identity, fig.unit
    base, top = fig['neck'], fig['head']
    half = .026 * unit * fig.girth**.3
    high = .5 if wear.kind == 'coat' else .3
    start = base - .1 * (top - base)
    layers = [
        Layer(
            capsule(start, base + .6 * (top - base), half, half),
            fig.plain(darker(who.skin, .86), start, top, half), TRUNK, 'neck',
            ID['Face'])
    ]
    if fig.surface(.9)[1] > .1 and wear.kind not in ('hoodie', 'coat'):
        deep = .79 if who.v_neck else .91
        edge = [fig.surface(.985, a)[0] for a in (-.55, .55)]
        points = np.array([edge[0], fig.surface(deep)[0], edge[1]])
        layers.append(
            Layer(points, fig.plain(who.skin, start, top, 2 * half), TRUNK,
                  'neck', ID['Face'], ('neckline', )))
    if wear.kind in ('shirt', 'jacket', 'coat', 'sweater'):
        centre = base + .02 * (top - base)
        paint = fig.plain(darker(wear.rgb, .88), centre, centre + fig.up, half)
        layers.append(
            Layer(
                tube((centre, centre + high * .5 * (top - base)),
                     (1.35 * half, 1.12 *
                      half)) if fig.facing < .1 else _open_collar(fig, half),
                paint, TRUNK, 'neck', label, ('upper', 'collar')))
    if wear.kind == 'hoodie':
        layers.append(_hood(fig, wear, label, half))
    return layers + _scarf(fig, half)


def _open_collar(fig, half):
    """Two flaps below the chin."""
    left, right = (fig.surface(1., a, 1.3)[0] for a in (1., -1.))
    tips = [fig.surface(.90, a)[0] for a in (.45, -.45)]
    mid = fig.surface(.95)[0]
    return np.array([left, tips[0], mid, tips[1], right, mid])


def _hood(fig, wear, label, half):
    out = 1.25 if fig.facing > 0 else 1.7
    centre = fig.surface(.93, np.pi)[0] + .01 * fig.unit * fig.up
    paint = fig.plain(darker(wear.rgb, .8), centre, centre + fig.up, 2 * half)
    depth = TRUNK + .02 if fig.facing < .2 else TRUNK - .1
    return Layer(
        ellipse(centre, out * 1.6 * half, 1.5 * half, -1j * fig.up), paint,
        depth, 'torso', label, ('upper', 'hood'))


def _scarf(fig, half):
    wear = fig.identity.scarf
    if wear is None:
        return []
    base, top = fig['neck'], fig['head']
    centre = base + .12 * (top - base)
    paint = fig.plain(wear.rgb, centre, centre + 1j, 2 * half)
    layers = [
        Layer(
            ellipse(centre, 1.6 * half, .9 * half, -1j * fig.up), paint,
            TRUNK + .01, 'neck', ID['Scarf'], ('scarf', ))
    ]
    end, near = fig.surface(.5, .35, 1.1)
    if near > 0:
        layers.append(
            Layer(
                capsule(centre, end, .5 * half, .6 * half), paint, TRUNK + .01,
                'torso', ID['Scarf'], ('scarf', )))
    return layers
