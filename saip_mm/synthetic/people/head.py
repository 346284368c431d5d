"""Hair, face, glasses and hats."""
from typing import List, Tuple

import numpy as np

from .figure import BEHIND, TRUNK, Figure, darker
from .layers import Layer, capsule, ellipse, tube
from .parts import ID

HEAD = TRUNK + .05  # hands raised before the face come later
SMALL = 13  # heads lower than this many pixels have no features


def head_layers(fig: Figure) -> List[Layer]:
    """The head, from the hair behind it to the hat on it."""
    who = fig.identity
    near = fig.head_matrix[2, 2]  # 1: the face looks at the camera
    width, height = _seen_size(fig)
    rgb = who.skin if who.hair == 'bald' else who.hair_rgb
    label = ID['Face'] if who.hair == 'bald' else ID['Hair']
    centre = fig.head_point(0, 0, 0)[0]
    layers = _hair_behind(fig, near, width)
    layers.append(
        Layer(
            _skull(fig, width, height),
            fig.plain(rgb, centre, centre + fig.up, width), HEAD, 'head',
            label))
    if near > -.45:
        layers += _face(fig, near, width, height)
    layers += _ears(fig, width) + _bun(fig, width, near)
    return layers + _hat(fig, width, height, near)


def head_bounds(fig: Figure) -> Tuple[np.ndarray, np.ndarray]:
    """Bounds of skull and hat, whatever hides them, in pixels.

    Returns:
        tuple[np.ndarray]: Least and greatest x and y, ``(2,)`` each.
    """
    width, height = _seen_size(fig)
    outlines = [_skull(fig, width, height)]
    outlines += [
        layer.points
        for layer in _hat(fig, width, height, fig.head_matrix[2, 2])
    ]
    points = np.concatenate(outlines).view(np.float64).reshape(-1, 2)
    return points.min(0), points.max(0)


def _seen_size(fig) -> Tuple[float, float]:
    """Half width and half height of the head in the picture, in pixels."""
    a, b, c = fig.head_half
    right = fig.head_matrix[0]
    return fig.scale * np.hypot(a * right[0], c * right[2]), fig.scale * b


def _skull(fig, width, height):
    """Outline of the head, with short hair if there is any."""
    lift = 0. if fig.identity.hair == 'bald' else .05 * height
    centre = fig.head_point(0, 0, 0)[0] + lift * fig.up
    return ellipse(centre, width * 1.03, height, -1j * fig.up)


def _hair_behind(fig, near, width):
    """Hair that falls on neck and shoulders."""
    who = fig.identity
    if who.hair not in ('long', 'bob'):
        return []
    top = fig.head_point(0, .35, -.25)[0]
    low = fig.head_point(0, -1.15, -.55)[0]
    spots, halves = [top, low], [width * 1.05, width * 1.12]
    if who.hair == 'long':
        spots.append(fig.surface(.70, np.pi, 1.15)[0])
        halves.append(width * .95)
    depth = HEAD - .01 if near < .15 else BEHIND
    if who.hair == 'bob':
        depth = HEAD - .01 if near < .5 else TRUNK - .02
    return [
        Layer(
            tube(spots, halves), fig.plain(who.hair_rgb, top, spots[-1],
                                           width), depth, 'head', ID['Hair'])
    ]


def _face(fig, near, width, height):
    """Skin of the face and, if it is large enough, its features."""
    who = fig.identity
    a, _, c = fig.head_half
    right = fig.head_matrix[0]
    half = fig.scale * np.hypot(.84 * a * right[0], .56 * c * right[2])
    half *= 1 + 1.5 * min(near, 0.)
    if half < 1:
        return []
    # Seen from behind, only a strip at the edge is left.
    centre = fig.head_point(0, -.13, .42 + .9 * max(-near, 0.))[0]
    outline = ellipse(0j, half, .79 * height)
    # A chin is narrower than a brow.
    chin = 1 - .22 * np.clip(outline.imag / (.79 * height), 0, 1)
    outline = centre - 1j * fig.up * (outline.real * chin + 1j * outline.imag)
    paint = fig.plain(who.skin, centre, centre + fig.up, width)
    layers = [Layer(outline, paint, HEAD, 'head', ID['Face'])]
    nose, depth = fig.head_point(0, -.18, 1.02)
    if abs(near) < .75:
        layers.append(
            Layer(
                ellipse(nose, .13 * width, .16 * height, -1j * fig.up), paint,
                HEAD, 'head', ID['Face']))
    if 2 * height > SMALL:
        layers += _features(fig, width, height)
    return layers + _glasses(fig, near, width, height)


def _features(fig, width, height):
    """Eyes, brows, the nose's shadow and the mouth."""
    who, layers = fig.identity, []
    spots = [(x, -.02, .82, 'eye') for x in (.42, -.42)]
    spots += [(x, .20, .84, 'brow') for x in (.42, -.42)]
    spots += [(0, -.30, 1., 'nose'), (0, -.56, .88, 'mouth')]
    mouth = tuple(
        int(v) for v in np.array(who.skin) * (.72, .48, .46) + (20, 0, 0))
    looks = dict(
        eye=((38, 30, 28), .13, .075),
        brow=(darker(who.hair_rgb, .8), .24, .05),
        nose=(darker(who.skin, .74), .14, .07),
        mouth=(mouth, .30, .065))
    for x, y, z, kind in spots:
        spot, depth = fig.head_point(x, y, z)
        turned = depth / (fig.head_half[2])
        if turned < .15:
            continue
        rgb, wide, high = looks[kind]
        squeeze = .35 + .65 * turned
        points = ellipse(spot, wide * width * squeeze, max(high * height, .45),
                         -1j * fig.up)
        layers.append(
            Layer(points, fig.plain(rgb, spot, spot + 1, width, 0.), HEAD,
                  'head', ID['Face']))
    return layers


def _glasses(fig, near, width, height):
    who = fig.identity
    if not who.glasses or near < -.1:
        return []
    dark = who.glasses == 'sunglasses'
    rgb = (24, 24, 28) if dark else (120, 128, 138)
    layers = []
    for x in (.44, -.44):
        spot, depth = fig.head_point(x, -.02, .88)
        turned = depth / fig.head_half[2]
        if turned < .05:
            continue
        points = ellipse(spot, .34 * width * (.4 + .6 * turned), .19 * height,
                         -1j * fig.up)
        layers.append(
            Layer(points, fig.plain(rgb, spot, spot + 1, width,
                                    .3), HEAD, 'head', ID['Sunglasses'],
                  ('glasses', ), 1. if dark else .62))
    ends = [fig.head_point(x, 0, z) for x, z in ((.95, .2), (.75, .72))]
    ends += [fig.head_point(x, 0, z) for x, z in ((-.75, .72), (-.95, .2))]
    for (a, za), (b, zb) in zip(ends[::2], ends[1::2]):
        if min(za, zb) > -.01:
            layers.append(
                Layer(
                    capsule(a, b, .035 * width, .035 * width),
                    fig.plain((30, 30, 34), a, b, width, 0.), HEAD, 'head',
                    ID['Sunglasses'], ('glasses', )))
    return layers


def _ears(fig, width):
    who, layers = fig.identity, []
    if who.hair in ('long', 'bob'):
        return []
    for x in (1., -1.):
        spot, depth = fig.head_point(x, -.08, -.05)
        if depth < -.012:
            continue
        rgb = darker(who.skin, .9)
        points = ellipse(spot, .17 * width, .3 * width, -1j * fig.up)
        layers.append(
            Layer(points, fig.plain(rgb, spot, spot + 1, width), HEAD, 'head',
                  ID['Face']))
    return layers


def _bun(fig, width, near):
    who = fig.identity
    if who.hair != 'bun':
        return []
    spot = fig.head_point(0, .55, -.95)[0]
    return [
        Layer(
            ellipse(spot, .5 * width, .5 * width),
            fig.plain(darker(who.hair_rgb, .9), spot, spot + 1, width),
            HEAD - .01 if near > 0 else HEAD, 'head', ID['Hair'])
    ]


def _hat(fig, width, height, near):
    """A cap with a peak or a hat with a brim."""
    wear = fig.identity.hat
    if wear is None:
        return []
    up, label = fig.up, ID['Hat']
    base = fig.head_point(0, .34, 0)[0]
    turn = np.exp(1j * np.linspace(0, np.pi, 12))
    high = (.88 if wear.kind == 'cap' else 1.05) * height
    dome = base - 1j * up * (1.12 * width * turn.real) + up * (
        high * turn.imag - .06 * height)
    paint = fig.plain(wear.rgb, base, base + up, 1.1 * width)
    crown = Layer(dome, paint, HEAD, 'head', label, ('hat', ))
    under = fig.plain(darker(wear.rgb, .7), base, base + up, 1.5 * width)
    if wear.kind == 'cap':
        peak, depth = fig.head_point(0, .30, 1.5)
        start = fig.head_point(0, .36, .6)[0]
        brim = Layer(
            capsule(start, peak, .55 * width, .40 * width), under, HEAD,
            'head', label, ('hat', ))
        return [crown, brim] if near > -.15 else [brim, crown]
    band = tube((base - .02 * height * up, base + .2 * height * up),
                (1.13 * width, 1.12 * width))
    return [
        crown,
        Layer(band, fig.plain(wear.second_rgb, base, base + up, width), HEAD,
              'head', label, ('hat', )),
        Layer(
            ellipse(base, 1.75 * width, .24 * height, -1j * up), under, HEAD,
            'head', label, ('hat', ))
    ]
