"""Two pictures of 8x10, evaluated by Parsing R-CNN's own functions."""
import numpy as np


def person(*parts):
    """A map; parts are columns, rows and number."""
    whole = np.zeros((8, 10), int)
    for columns, rows, number in parts:
        whole[slice(*rows), slice(*columns)] = number
    return whole


A = person(((0, 4), (0, 2), 2), ((0, 4), (2, 4), 13), ((0, 4), (4, 8), 5))
B = person(((5, 9), (0, 2), 13), ((5, 9), (2, 6), 5), ((5, 7), (6, 8), 16),
           ((7, 9), (6, 8), 17))
C = person(((2, 8), (1, 4), 13), ((2, 8), (4, 8), 10), ((2, 3), (4, 6), 14),
           ((7, 8), (4, 6), 15))
FOUND_A = person(((0, 4), (0, 2), 2), ((0, 4), (2, 5), 13),
                 ((0, 4), (5, 8), 5))
FOUND_B = person(((5, 9), (0, 2), 13), ((5, 9), (2, 6), 7),
                 ((5, 7), (6, 8), 17), ((7, 9), (6, 8), 16))
FOUND_A_AGAIN = person(((0, 4), (0, 3), 2), ((0, 4), (3, 8), 5))
FOUND_C = np.where(C, C, 0)
FOUND_C[1, 2:8] = 2
# persons; score and map of those found
PICTURES = [
    ([A, B], [(0.9, FOUND_A), (0.8, FOUND_B), (0.6, FOUND_A_AGAIN)]),
    ([C], [(0.85, FOUND_C)]),
]
TWO, ONE = 2 / 3, 1 / 3
GOLDEN = dict(
    m=[0.8541666667, 0.3333333333, 0.6166666667, 0.7777777778],
    AP=[1, 1, 1, TWO, TWO, TWO, TWO, ONE, 0],
    PCP=[.75, .75, .75, TWO, TWO, TWO, .4722222222, .1111111111, 0],
    vol=TWO,
    mIoU=0.5683270677,
    mAcc=0.6887254902,
    pixel=0.7875)
