"""Arms and legs: skin, and sleeves, trouser legs, socks and shoes over it."""
from typing import List

from .figure import BEHIND, LEGS, Figure, darker
from .layers import Layer, capsule, tube
from .parts import ID, lower_label, upper_label

ARM = dict(shoulder=.028, elbow=.024, wrist=.0165, hand=.015)
LEG = dict(hip=.054, knee=.035, ankle=.021)
IN_FRONT = .01  # an arm beside the trunk is painted over it


def arm_layers(fig: Figure, side: str) -> List[Layer]:
    """Upper arm, forearm and hand of one side."""
    who, wear = fig.identity, fig.identity.upper
    s, e, w, h = (
        fig[f'{side}_{j}'] for j in ('shoulder', 'elbow', 'wrist', 'hand'))
    size = {k: r * fig.unit * fig.girth**.6 for k, r in ARM.items()}
    near = fig.z(f'{side}_elbow', f'{side}_wrist') + .07
    if fig.z(f'{side}_shoulder') < -.10 and near < .25:
        near = min(near, -.01)  # the far arm of a profile
    depth = near if near > 0 else BEHIND + near
    depth = max(depth, IN_FRONT) if near > 0 else depth
    skin = ID[f'{side.capitalize()}-arm']
    region = f'{side}_upper_arm', f'{side}_forearm', f'{side}_hand'
    layers = [_hand(fig, side, w, h, size, depth)]
    if not wear.long_sleeves:
        layers += [
            Layer(
                capsule(s, e, size['shoulder'], size['elbow']),
                fig.plain(who.skin, s, e, size['elbow']), depth, region[0],
                skin),
            Layer(
                capsule(e, w, size['elbow'], size['wrist']),
                fig.plain(who.skin, e, w, size['elbow']), depth, region[1],
                skin)
        ]
    return layers + _sleeve(fig, side, (s, e, w), size, depth, region)


def _hand(fig, side, w, h, size, depth):
    who = fig.identity
    rgb = who.gloves.rgb if who.gloves else who.skin
    label = ID['Glove'] if who.gloves else ID[f'{side.capitalize()}-arm']
    mid = w + .55 * (h - w)
    out = 1j * (mid - w) / max(abs(mid - w), 1e-6)
    turn = 1. if (side == 'left') == (fig.facing > 0) else -1.
    thumb = capsule(w + .25 * (h - w),
                    w + .6 * (h - w) + turn * .016 * fig.unit * out,
                    .4 * size['hand'], .3 * size['hand'])
    palm = capsule(w, h - .35 * (h - w), size['hand'] * 1.05,
                   size['hand'] * .8)
    points = (palm, thumb)
    return Layer(points, fig.plain(rgb, w, h,
                                   size['hand']), depth, f'{side}_hand', label,
                 (f'{side}_glove', ) if who.gloves else ())


def _sleeve(fig, side, joints, size, depth, region):
    wear, (s, e, w) = fig.identity.upper, joints
    ease = (.004 + .009 * wear.loose) * fig.unit
    if wear.kind in ('coat', 'jacket', 'hoodie'):
        ease += .005 * fig.unit
    keys = ('upper', f'{side}_sleeve')
    label, top = upper_label(wear.kind), size['shoulder'] + .3 * ease
    if not wear.long_sleeves:
        cuff = s + (.45 + .3 * (wear.variant % 8) / 8) * (e - s)
        wide = size['elbow'] + 1.2 * ease
        return [
            Layer(
                capsule(s, cuff, top, wide), fig.paint(wear, s, e, wide, .3),
                depth, region[0], label, keys)
        ]
    elbow, wrist = size['elbow'] + ease, size['wrist'] + ease
    end = w - .04 * (w - e)
    upper = Layer(
        capsule(s, e, top, elbow), fig.paint(wear, s, e, elbow, .3), depth,
        region[0], label, keys)
    fore = Layer(
        capsule(e, end, elbow, wrist), fig.paint(wear, e, w, elbow, .5), depth,
        region[1], label, keys)
    return [upper, fore] + _cuff(fig, wear, e, end, wrist, depth, region[1],
                                 label, keys)


def _cuff(fig, wear, e, end, half, depth, region, label, keys):
    if wear.kind not in ('sweater', 'hoodie', 'jacket'):
        return []
    start = end - .10 * (end - e)
    paint = fig.plain(darker(wear.rgb, .75), start, end, half)
    return [
        Layer(
            tube((start, end), (half, half)), paint, depth, region, label,
            keys)
    ]


def leg_layers(fig: Figure, side: str) -> List[Layer]:
    """Thigh, shin and foot of one side."""
    joints = [fig[f'{side}_{j}'] for j in ('hip', 'knee', 'ankle')]
    size = {k: r * fig.unit * fig.girth**.7 for k, r in LEG.items()}
    depth = LEGS + .3 * fig.z(f'{side}_knee', f'{side}_ankle')
    thigh = depth
    if fig.z(f'{side}_knee') - fig.z(f'{side}_hip') > .25:
        thigh = .005  # towards the camera: sits in front of the trunk
        depth = .004
    layers = _skin_leg(fig, side, joints, size, depth, thigh)
    layers += foot_layers(fig, side, depth)
    return layers + _trouser_leg(fig, side, joints, size, depth, thigh)


def _covering(fig):
    """The garment on the legs, which may be part of a jumpsuit."""
    who = fig.identity
    return who.upper if who.upper.kind == 'jumpsuit' else who.lower


def _skin_leg(fig, side, joints, size, depth, thigh):
    wear = _covering(fig)
    if wear is not None and wear.kind not in ('shorts', 'skirt'):
        return []
    hip, knee, ankle = joints
    skin, label = fig.identity.skin, ID[f'{side.capitalize()}-leg']
    calf = knee + .32 * (ankle - knee)
    bulge = size['knee'] * 1.03
    return [
        Layer(
            capsule(hip, knee, size['hip'], size['knee']),
            fig.plain(skin, hip, knee, size['hip']), thigh, f'{side}_thigh',
            label),
        Layer((capsule(knee, calf, size['knee'] * .92,
                       bulge), capsule(calf, ankle, bulge, size['ankle'])),
              fig.plain(skin, knee, ankle, bulge), depth, f'{side}_shin',
              label)
    ]


def _trouser_leg(fig, side, joints, size, depth, thigh):
    wear = _covering(fig)
    if wear is None or wear.kind == 'skirt':
        return []
    hip, knee, ankle = joints
    ease = (.002 + .012 * wear.loose) * fig.unit
    label = lower_label(wear.kind)
    keys = ('upper' if wear.kind == 'jumpsuit' else 'lower', )
    top, mid = size['hip'] + .5 * ease, size['knee'] + ease
    if wear.kind == 'shorts':
        end = hip + (.72 + .25 * wear.length) * (knee - hip)
        return [
            Layer(
                capsule(hip, end, top, mid * 1.12),
                fig.paint(wear, hip, knee, top), thigh, f'{side}_thigh', label,
                keys)
        ]
    hem = size['ankle'] + (.006 + .022 * wear.loose) * fig.unit
    end = ankle + .02 * (knee - ankle)
    return [
        Layer(
            tube((knee, knee + .4 * (end - knee), end),
                 (mid, .5 * (mid + hem) + .002 * fig.unit, hem)),
            fig.paint(wear, knee, ankle, mid, .4), depth, f'{side}_shin',
            label, keys),
        Layer(
            capsule(hip, knee, top, mid), fig.paint(wear, hip, knee, top),
            thigh, f'{side}_thigh', label, keys)
    ]


def foot_layers(fig: Figure, side: str, depth: float) -> List[Layer]:
    """Sock, shoe and sole."""
    who, unit = fig.identity, fig.unit
    knee, ankle, heel, toe = (
        fig[f'{side}_{j}'] for j in ('knee', 'ankle', 'heel', 'toe'))
    label = ID[f'{side.capitalize()}-shoe']
    region, keys = f'{side}_foot', (f'{side}_shoe', )
    layers = []
    if who.socks and who.shoes.kind != 'boots':
        start = ankle + .3 * (knee - ankle)
        half = .026 * unit
        layers.append(
            Layer(
                capsule(start, ankle, half, half),
                fig.plain(who.socks.rgb, start, ankle, half), depth, region,
                ID['Socks'], (f'{side}_sock', )))
    rise = -1j * .016 * unit
    body = (capsule(heel + rise, toe + .5 * rise, .023 * unit, .017 * unit),
            capsule(heel + rise, ankle, .022 * unit, .019 * unit))
    if who.shoes.kind == 'sandals':
        layers.append(
            Layer(body, fig.plain(who.skin, heel, toe, .02 * unit), depth,
                  region, ID[f'{side.capitalize()}-leg']))
        body = (capsule(heel, toe, .012 * unit, .012 * unit), )
    elif who.shoes.kind == 'boots':
        shaft = capsule(ankle, ankle + .5 * (knee - ankle), .029 * unit,
                        .034 * unit)
        body += (shaft, )
    paint = fig.plain(who.shoes.rgb, heel, toe, .035 * unit, .6)
    layers.append(Layer(body, paint, depth, region, label, keys))
    if who.shoes.kind == 'sneakers':
        rgb = (225, 224, 220) if sum(who.shoes.rgb) < 480 else (70, 70, 74)
        low = -.35 * rise
        layers.append(
            Layer(
                capsule(heel + low, toe + low, .010 * unit, .009 * unit),
                fig.plain(rgb, heel, toe, .02 * unit, .3), depth, region,
                label, keys))
    return layers
