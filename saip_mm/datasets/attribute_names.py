"""Names of pedestrian attributes, as the data sets have them."""

# in the order of annotation.mat
PA100K = ('Female', 'AgeOver60', 'Age18-60', 'AgeLess18', 'Front', 'Side',
          'Back', 'Hat', 'Glasses', 'HandBag', 'ShoulderBag', 'Backpack',
          'HoldObjectsInFront', 'ShortSleeve', 'LongSleeve', 'UpperStride',
          'UpperLogo', 'UpperPlaid', 'UpperSplice', 'LowerStripe',
          'LowerPattern', 'LongCoat', 'Trousers', 'Shorts', 'Skirt&Dress',
          'boots')
# the 35 that are evaluated, the first of PETA.mat's 105
PETA = ('personalLess30', 'personalLess45', 'personalLess60',
        'personalLarger60', 'carryingBackpack', 'carryingOther',
        'lowerBodyCasual', 'upperBodyCasual', 'lowerBodyFormal',
        'upperBodyFormal', 'accessoryHat', 'upperBodyJacket', 'lowerBodyJeans',
        'footwearLeatherShoes', 'upperBodyLogo', 'hairLong', 'personalMale',
        'carryingMessengerBag', 'accessoryMuffler', 'accessoryNothing',
        'carryingNothing', 'upperBodyPlaid', 'carryingPlasticBags',
        'footwearSandals', 'footwearShoes', 'lowerBodyShorts',
        'upperBodyShortSleeve', 'lowerBodyShortSkirt', 'footwearSneaker',
        'upperBodyThinStripes', 'accessorySunglasses', 'lowerBodyTrousers',
        'upperBodyTshirt', 'upperBodyOther', 'upperBodyVNeck')
PETA_LABELS = 105

# places of the columns by region of the body, from head to feet, as in
# "Rethinking of PAR" (valencebond/Rethinking_of_PAR @ 0baa462): heads trained
# there have this order
PA100K_ORDER = (7, 8, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 9,
                10, 11, 12, 1, 2, 3, 0, 4, 5, 6)
PETA_ORDER = (10, 18, 19, 30, 15, 7, 9, 11, 14, 21, 26, 29, 32, 33, 34, 6, 8,
              12, 25, 27, 31, 13, 23, 24, 28, 4, 5, 17, 20, 22, 0, 1, 2, 3, 16)
