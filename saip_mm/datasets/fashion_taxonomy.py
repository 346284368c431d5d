"""Fashionpedia's final taxonomy: 46 categories and 294 attributes.

Ids of categories are 0 to 45. Those of attributes have gaps: 0-234, 281-283,
285-340; their place in that order is the index by which models count them.
Misspellings are as published; names hold commas, and are never split.

Source:
    Jia et al., "Fashionpedia: Ontology, Segmentation, and an Attribute
    Localization Dataset", as its annotation files list it.
"""
from typing import NamedTuple, Tuple

import numpy as np

# first id, level, supercategory, names
_CATEGORIES = (
    (0, 2, 'upperbody',
     'shirt, blouse | top, t-shirt, sweatshirt | sweater | cardigan | '
     'jacket | vest'),
    (6, 2, 'lowerbody', 'pants | shorts | skirt'),
    (9, 2, 'wholebody', 'coat | dress | jumpsuit | cape'),
    (13, 2, 'head', 'glasses | hat | headband, head covering, hair accessory'),
    (16, 2, 'neck', 'tie'),
    (17, 2, 'arms and hands', 'glove | watch'),
    (19, 2, 'waist', 'belt'),
    (20, 2, 'legs and feet', 'leg warmer | tights, stockings | sock | shoe'),
    (24, 2, 'others', 'bag, wallet | scarf | umbrella'),
    (27, 2, 'garment parts',
     'hood | collar | lapel | epaulette | sleeve | pocket | neckline'),
    (34, 2, 'closures', 'buckle | zipper'),
    (36, 2, 'decorations',
     'applique | bead | bow | flower | fringe | ribbon | rivet | ruffle '
     '| sequin | tassel'),
)
_ATTRIBUTES = (
    (0, 1, 'nickname',
     'classic (t-shirt) | polo (shirt) | undershirt | henley (shirt) | '
     'ringer (t-shirt) | raglan (t-shirt) | rugby (shirt) | sailor '
     '(shirt) | crop (top) | halter (top) | camisole | tank (top) | '
     'peasant (top) | tube (top) | tunic (top) | smock (top) | hoodie | '
     'blazer | pea (jacket) | puffer (jacket) | biker (jacket) | trucker '
     '(jacket) | bomber (jacket) | anorak | safari (jacket) | mao '
     '(jacket) | nehru (jacket) | norfolk (jacket) | classic military '
     '(jacket) | track (jacket) | windbreaker | chanel (jacket) | bolero '
     '| tuxedo (jacket) | varsity (jacket) | crop (jacket) | jeans | '
     'sweatpants | leggings | hip-huggers (pants) | cargo (pants) | '
     'culottes | capri (pants) | harem (pants) | sailor (pants) | '
     'jodhpur | peg (pants) | camo (pants) | track (pants) | crop '
     '(pants) | short (shorts) | booty (shorts) | bermuda (shorts) | '
     'cargo (shorts) | trunks | boardshorts | skort | roll-up (shorts) | '
     'tie-up (shorts) | culotte (shorts) | lounge (shorts) | bloomers | '
     'tutu (skirt) | kilt | wrap (skirt) | skater (skirt) | cargo '
     '(skirt) | hobble (skirt) | sheath (skirt) | ball gown (skirt) | '
     'gypsy (skirt) | rah-rah (skirt) | prairie (skirt) | flamenco '
     '(skirt) | accordion (skirt) | sarong (skirt) | tulip (skirt) | '
     'dirndl (skirt) | godet (skirt) | blanket (coat) | parka | trench '
     '(coat) | pea (coat) | shearling (coat) | teddy bear (coat) | '
     'puffer (coat) | duster (coat) | raincoat | kimono | robe | dress '
     '(coat ) | duffle (coat) | wrap (coat) | military (coat) | swing '
     '(coat) | halter (dress) | wrap (dress) | chemise (dress) | slip '
     '(dress) | cheongsams | jumper (dress) | shift (dress) | sheath '
     '(dress) | shirt (dress) | sundress | kaftan | bodycon (dress) | '
     'nightgown | gown | sweater (dress) | tea (dress) | blouson (dress) '
     '| tunic (dress) | skater (dress)'),
    (114, 1, 'silhouette',
     'asymmetrical | symmetrical | peplum | circle | flare | fit and '
     'flare | trumpet | mermaid | balloon | bell | bell bottom | bootcut '
     '| peg | pencil | straight | a-line | tent | baggy | wide leg | '
     'high low | curved (fit) | tight (fit) | regular (fit) | loose '
     '(fit) | oversized'),
    (139, 1, 'waistline',
     'empire waistline | dropped waistline | high waist | normal waist | '
     'low waist | basque (wasitline) | no waistline'),
    (146, 1, 'length',
     'above-the-hip (length) | hip (length) | micro (length) | mini '
     '(length) | above-the-knee (length) | knee (length) | below the '
     'knee (length) | midi | maxi (length) | floor (length) | sleeveless '
     '| short (length) | elbow-length | three quarter (length) | '
     'wrist-length'),
    (161, 1, 'nickname',
     'asymmetric (collar) | regular (collar) | shirt (collar) | polo '
     '(collar) | chelsea (collar) | banded (collar) | mandarin (collar) '
     '| peter pan (collar) | bow (collar) | stand-away (collar) | jabot '
     '(collar) | sailor (collar) | oversized (collar) | notched (lapel) '
     '| peak (lapel) | shawl (lapel) | napoleon (lapel) | oversized '
     '(lapel)'),
    (179, 1, 'neckline type',
     'collarless | asymmetric (neckline) | crew (neck) | round (neck) | '
     'v-neck | surplice (neck) | oval (neck) | u-neck | sweetheart '
     '(neckline) | queen anne (neck) | boat (neck) | scoop (neck) | '
     'square (neckline) | plunging (neckline) | keyhole (neck) | halter '
     '(neck) | crossover (neck) | choker (neck) | high (neck) | turtle '
     '(neck) | cowl (neck) | straight across (neck) | illusion (neck) | '
     'off-the-shoulder | one shoulder'),
    (204, 1, 'nickname',
     'set-in sleeve | dropped-shoulder sleeve | raglan (sleeve) | cap '
     '(sleeve) | tulip (sleeve) | puff (sleeve) | bell (sleeve) | '
     'circular flounce (sleeve) | poet (sleeve) | dolman (sleeve), '
     'batwing (sleeve) | bishop (sleeve) | leg of mutton (sleeve) | '
     'kimono (sleeve) | cargo (pocket) | patch (pocket) | welt (pocket) '
     '| kangaroo (pocket) | seam (pocket) | slash (pocket) | curved '
     '(pocket) | flap (pocket)'),
    (225, 1, 'opening type',
     'single breasted | double breasted | lace up | wrapping | zip-up | '
     'fly (opening) | chained (opening) | buckled (opening) | toggled '
     '(opening) | no opening'),
    (281, 1, 'non-textile material type', 'plastic | rubber | metal'),
    (285, 1, 'non-textile material type',
     'feather | gem | bone | ivory | fur'),
    (290, 2, 'leather', 'suede | shearling | crocodile | snakeskin'),
    (294, 1, 'non-textile material type', 'wood | no non-textile material'),
    (296, 1, 'textile finishing, manufacturing techniques',
     'burnout | distressed | washed | embossed | frayed | printed | '
     'ruched | quilted | pleat | gathering | smocking | tiered | cutout '
     '| slit | perforated | lining | applique(a) | bead(a) | rivet(a) | '
     'sequin(a) | no special manufacturing technique'),
    (317, 1, 'textile pattern',
     'plain (pattern) | abstract | cartoon | letters, numbers | '
     'camouflage | check | dot | fair isle | floral | geometric | '
     'paisley | stripe | houndstooth (pattern) | herringbone (pattern) | '
     'chevron | argyle'),
    (333, 2, 'animal',
     'leopard | snakeskin (pattern) | cheetah | peacock | zebra | '
     'giraffe'),
    (339, 1, 'textile pattern', 'toile de jouy | plant'),
)


class Term(NamedTuple):
    """A category or an attribute, as the entries of annotation files."""
    id: int
    name: str
    supercategory: str
    level: int


def _terms(table) -> Tuple[Term, ...]:
    return tuple(
        Term(first + place, name, group, level)
        for first, level, group, names in table
        for place, name in enumerate(names.split(' | ')))


CATEGORIES = _terms(_CATEGORIES)
ATTRIBUTES = _terms(_ATTRIBUTES)
ATTRIBUTE_IDS = np.array([term.id for term in ATTRIBUTES])  # by index
_PLACES = {term.id: place for place, term in enumerate(ATTRIBUTES)}

# the other categories have no attributes, by definition
WITH_ATTRIBUTES = frozenset((*range(13), 28, 29, 31, 32, 33))
# outerwear, accessories, garment parts
GROUPS = dict(o=range(13), a=range(13, 27), p=range(27, 46))


def attribute_index(attribute_id: int) -> int:
    """Place of an attribute among the 294.

    Raises:
        ValueError: If there is no such id.

    Example:
        >>> [attribute_index(i) for i in (0, 234, 281, 285, 340)]
        [0, 234, 235, 238, 293]
    """
    place = _PLACES.get(attribute_id)
    if place is None:
        raise ValueError(f'attribute id {attribute_id} does not exist; ids '
                         f'are {describe_ids(ATTRIBUTE_IDS)}')
    return place


def describe_ids(ids) -> str:
    """Ids as their unbroken runs.

    Example:
        >>> describe_ids(ATTRIBUTE_IDS), describe_ids([4])
        ('0-234, 281-283, 285-340', '4')
    """
    ids = np.asarray(sorted(ids))
    runs = np.split(ids, np.flatnonzero(np.diff(ids) > 1) + 1)
    return ', '.join(f'{run[0]}-{run[-1]}' if len(run) > 1 else str(run[0])
                     for run in runs if len(run))
