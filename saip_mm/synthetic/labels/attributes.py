"""Attributes of PA100K and PETA, as far as the scene knows them."""
import numpy as np

from ...datasets.attribute_names import PA100K, PETA
from ..people.figure import Figure
from ..people.identity import Identity


def _multi_hot(names, facts) -> np.ndarray:
    unknown = set(facts) - set(names)
    if unknown:
        raise KeyError(f'no such attributes: {sorted(unknown)}')
    return np.array([bool(facts.get(name)) for name in names], np.uint8)


def view_of(figure: Figure) -> str:
    """'Front', 'Side' or 'Back', in quarters of the circle.

    A person turned by 45 degrees or less shows the front.
    """
    facing = figure.facing / max(
        np.hypot(figure.matrix[2, 2], figure.matrix[2, 0]), 1e-6)
    if abs(facing) < np.sqrt(.5):
        return 'Side'
    return 'Front' if facing > 0 else 'Back'


def _facts(who: Identity):
    """Words for what several attributes ask."""
    upper, lower = who.upper, who.lower
    below = upper.kind if lower is None else lower.kind
    bag = who.bag.kind if who.bag else ''
    return upper, below, lower, bag


def pa100k_attributes(who: Identity, figure: Figure) -> np.ndarray:
    """26 zeros and ones in the order of ``PA100K``, uint8."""
    upper, below, lower, bag = _facts(who)
    pattern = lower.pattern if lower else ''
    view = view_of(figure)
    return _multi_hot(
        PA100K, {
            'Female': who.female,
            'AgeOver60': who.age == 'senior',
            'Age18-60': who.age in ('young', 'adult', 'middle'),
            'AgeLess18': who.age == 'child',
            view: True,
            'Hat': who.hat is not None,
            'Glasses': bool(who.glasses),
            'HandBag': bag in ('handbag', 'plastic bag'),
            'ShoulderBag': bag == 'shoulder bag',
            'Backpack': bag == 'backpack',
            'HoldObjectsInFront': who.held in ('box', 'phone', 'cup'),
            'ShortSleeve': not upper.long_sleeves,
            'LongSleeve': upper.long_sleeves,
            'UpperStride': upper.pattern in ('stripes', 'thin stripes'),
            'UpperLogo': upper.pattern == 'logo',
            'UpperPlaid': upper.pattern == 'check',
            'UpperSplice': upper.pattern == 'splice',
            'LowerStripe': pattern == 'side stripe',
            'LowerPattern': pattern == 'check',
            'LongCoat': upper.kind == 'coat',
            'Trousers': below in ('trousers', 'jeans', 'jumpsuit'),
            'Shorts': below == 'shorts',
            'Skirt&Dress': below in ('skirt', 'dress'),
            'boots': who.shoes.kind == 'boots'
        })


def peta_attributes(who: Identity) -> np.ndarray:
    """35 zeros and ones in the order of ``PETA``, uint8; of the person."""
    upper, below, lower, bag = _facts(who)
    formal_top = upper.kind in ('coat', ) or (upper.kind == 'shirt'
                                              and upper.pattern == 'plain'
                                              and upper.long_sleeves)
    formal_low = below == 'trousers' and who.shoes.kind == 'leather shoes'
    sort = upper.kind
    return _multi_hot(
        PETA, {
            'personalLess30': who.age in ('child', 'young'),
            'personalLess45': who.age == 'adult',
            'personalLess60': who.age == 'middle',
            'personalLarger60': who.age == 'senior',
            'carryingBackpack': bag == 'backpack',
            'carryingOther': bool(who.held) or bag == 'handbag',
            'lowerBodyCasual': not formal_low,
            'upperBodyCasual': not formal_top,
            'lowerBodyFormal': formal_low,
            'upperBodyFormal': formal_top,
            'accessoryHat': who.hat is not None,
            'upperBodyJacket': sort == 'jacket',
            'lowerBodyJeans': below == 'jeans',
            'footwearLeatherShoes': who.shoes.kind == 'leather shoes',
            'upperBodyLogo': upper.pattern == 'logo',
            'hairLong': who.hair in ('long', 'bob'),
            'personalMale': not who.female,
            'carryingMessengerBag': bag == 'shoulder bag',
            'accessoryMuffler': who.scarf is not None,
            'accessoryNothing': not (who.hat or who.glasses or who.scarf),
            'carryingNothing': not (bag or who.held),
            'upperBodyPlaid': upper.pattern == 'check',
            'carryingPlasticBags': bag == 'plastic bag',
            'footwearSandals': who.shoes.kind == 'sandals',
            'footwearShoes': who.shoes.kind == 'boots',
            'lowerBodyShorts': below == 'shorts',
            'upperBodyShortSleeve': not upper.long_sleeves,
            'lowerBodyShortSkirt': below == 'skirt' and lower.length < .5,
            'footwearSneaker': who.shoes.kind == 'sneakers',
            'upperBodyThinStripes': upper.pattern == 'thin stripes',
            'accessorySunglasses': who.glasses == 'sunglasses',
            'lowerBodyTrousers': below in ('trousers', 'jumpsuit'),
            'upperBodyTshirt': sort == 't-shirt',
            'upperBodyOther': sort not in ('t-shirt', 'jacket'),
            'upperBodyVNeck': who.v_neck
        })
