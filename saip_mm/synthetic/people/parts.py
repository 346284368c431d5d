"""The 20 part classes of LIP and CIHP."""
NAMES = ('Background', 'Hat', 'Hair', 'Glove', 'Sunglasses', 'UpperClothes',
         'Dress', 'Coat', 'Socks', 'Pants', 'Jumpsuits', 'Scarf', 'Skirt',
         'Face', 'Left-arm', 'Right-arm', 'Left-leg', 'Right-leg', 'Left-shoe',
         'Right-shoe')
ID = {name: i for i, name in enumerate(NAMES)}
CIHP_TORSO_SKIN = 10  # CIHP has this where LIP has Jumpsuits
PALETTE = ((0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51),
           (255, 85, 0), (0, 0, 85), (0, 119, 221), (85, 85, 0), (0, 85, 85),
           (85, 51, 0), (52, 86, 128), (0, 128, 0), (0, 0, 255),
           (51, 170, 221), (0, 255, 255), (85, 255, 170), (170, 255, 85),
           (255, 255, 0), (255, 170, 0))

UPPER = {
    'dress': ID['Dress'],
    'jumpsuit': ID['Jumpsuits'],
    'coat': ID['Coat'],
    'jacket': ID['Coat']
}
LOWER = {'skirt': ID['Skirt'], 'jumpsuit': ID['Jumpsuits']}


def upper_label(kind: str) -> int:
    """Class of an upper garment; shirts of all sorts are UpperClothes."""
    return UPPER.get(kind, ID['UpperClothes'])


def lower_label(kind: str) -> int:
    """Class of a lower garment; trousers of all sorts are Pants."""
    return LOWER.get(kind, ID['Pants'])
