"""Bags and things in the hand. They hide the body but are not part of it."""
from typing import List

import numpy as np

from .figure import BEHIND, TRUNK, Figure, darker
from .layers import Layer, capsule, ellipse, tube
from .limbs import IN_FRONT


def carried_layers(fig: Figure) -> List[Layer]:
    """The bag, if there is one, and what is held."""
    bag = fig.identity.bag
    layers = [] if bag is None else _BAGS[bag.kind](fig, bag)
    if fig.identity.held:
        layers += _held(fig, fig.identity.held, fig.identity.held_rgb)
    return layers


def _shape(points, paint, depth, key='bag'):
    return Layer(points, paint, depth, 'carried', 0, (key, ))


def _backpack(fig, bag):
    layers, back = [], -fig.facing
    low, high = (fig.surface(t, np.pi, 1.0)[0] for t in (.28, .93))
    out = fig.surface(.6, np.pi, 2.6)[0] - fig.surface(.6, np.pi)[0]
    _, depth, _ = fig.ring(.6)
    half = fig.across(.092 * fig.identity.body.height, .9 * depth)
    mid = .5 * out
    points = tube((low + mid, low + .12 * (high - low) + mid, low + .85 *
                   (high - low) + mid, high + mid),
                  (.86 * half, half, .92 * half, .6 * half))
    paint = fig.plain(bag.rgb, low + mid, high + mid, half)
    place = TRUNK + .03 if back > -.25 else BEHIND
    layers.append(_shape(points, paint, place))
    if back > .1:
        a, b = (low + f * (high - low) + mid for f in (.12, .48))
        pocket = tube((a, b), (.62 * half, .62 * half))
        layers.append(
            _shape(pocket, fig.plain(darker(bag.rgb, .75), a, b, half), place))
    for angle in (.62, -.62):
        ends = [
            fig.surface(t, a, 1.04)
            for t, a in ((.95, angle), (.42, angle * 1.7))
        ]
        if min(near for _, near in ends) < -.05:
            continue
        wide = .011 * fig.unit
        layers.append(
            _shape(
                capsule(ends[0][0], ends[1][0], wide, wide),
                fig.plain(darker(bag.rgb, .8), ends[0][0], ends[1][0], wide),
                TRUNK + .02))
    return layers


def _shoulder_bag(fig, bag):
    out = 1. if fig.identity.bag_left else -1.
    hip = fig.surface(-.02, out * 1.45, 1.3)[0]
    near = fig.surface(0., out * 1.45)[1]
    layers = []
    for top in ((.97, -out * .5), (.97, -out * (np.pi - .5))):
        spot, faces = fig.surface(*top, 1.03)
        side, seen = fig.surface(.15,
                                 out * (1.1 if abs(top[1]) < 1.6 else 2.0),
                                 1.08)
        if faces + seen > 0:
            wide = .008 * fig.unit
            layers.append(
                _shape(
                    capsule(spot, side, wide, wide),
                    fig.plain(darker(bag.rgb, .8), spot, side, wide),
                    TRUNK + .006))
    high, wide = .062 * fig.unit, fig.across(.025 * 1.7, .085 * 1.7)
    top, low = hip + high * fig.up, hip - high * fig.up
    points = tube((top, low), (.9 * wide, wide))
    place = TRUNK + .02 if near > -.45 else BEHIND
    layers.append(_shape(points, fig.plain(bag.rgb, top, low, wide), place))
    flap = tube((top, hip), (.93 * wide, .96 * wide))
    layers.append(
        _shape(flap, fig.plain(darker(bag.rgb, .82), top, low, wide), place))
    return layers


def _in_hand(fig, bag):
    """A bag hanging from the hand."""
    side = 'left' if fig.identity.bag_left or fig.identity.held else 'right'
    hand = fig[f'{side}_hand']
    near = fig.z(f'{side}_hand')
    depth = IN_FRONT + max(near, 0.) + .01 if near > -.1 else BEHIND + near
    high = (.13 if bag.kind == 'handbag' else .17) * fig.unit
    top = hand + .05j * fig.unit
    low = top + 1j * high
    wide = fig.across(.035 * 1.7, .10 * 1.7)
    layers = []
    for offset in (-.4, .4):
        strap = capsule(hand, top + offset * wide, .006 * fig.unit,
                        .006 * fig.unit)
        layers.append(
            _shape(strap, fig.plain(darker(bag.rgb), hand, top, 2.), depth))
    taper = (.75, 1.) if bag.kind == 'handbag' else (1., .9)
    points = tube((top, low), (taper[0] * wide, taper[1] * wide))
    layers.append(_shape(points, fig.plain(bag.rgb, top, low, wide), depth))
    return layers


_BAGS = {
    'backpack': _backpack,
    'shoulder bag': _shoulder_bag,
    'handbag': _in_hand,
    'plastic bag': _in_hand
}


def _held(fig, kind, rgb):
    hand, unit = fig['right_hand'], fig.unit
    near = fig.z('right_hand')
    depth = IN_FRONT + max(near, 0.) + .1 if near > -.05 else BEHIND + near
    if kind == 'phone':
        points = tube((hand - .03j * unit, hand + .02j * unit),
                      (.014 * unit, .014 * unit))
        return [
            _shape(points, fig.plain((26, 26, 30), hand, hand + 1j, 4.), depth,
                   'held')
        ]
    if kind == 'cup':
        points = tube((hand - .045j * unit, hand + .02j * unit),
                      (.021 * unit, .015 * unit))
        return [
            _shape(points, fig.plain(rgb, hand, hand + 1j, .02 * unit), depth,
                   'held')
        ]
    if kind == 'umbrella':
        return _umbrella(fig, hand, rgb, depth)
    mid = .5 * (fig['left_hand'] + fig['right_hand'])
    wide = fig.across(.19, .13)
    points = tube((mid - .10j * unit, mid + .08j * unit), (wide, wide))
    return [
        _shape(points, fig.plain((168, 132, 92), mid, mid + 1j, 1.5 * wide),
               depth - .12 if near > 0 else depth, 'held')
    ]


def _umbrella(fig, hand, rgb, depth):
    unit = fig.unit
    top = fig['head'].real * .7 + hand.real * .3 + 1j * (
        fig['head'].imag - .19 * unit)
    radius = .27 * unit
    arc = np.exp(1j * np.linspace(np.pi, 2 * np.pi, 14))
    canopy = top + radius * (arc.real + .42j * arc.imag)
    shaft = capsule(hand + .05j * unit, top, .006 * unit, .006 * unit)
    return [
        _shape(shaft, fig.plain((60, 60, 64), hand, top, 3.), depth,
               'umbrella'),
        _shape(canopy, fig.plain(rgb, top, top + 1j, radius), .4, 'umbrella'),
        _shape(
            ellipse(top, radius, .05 * unit),
            fig.plain(darker(rgb), top, top + 1j, radius), .4, 'umbrella')
    ]
