"""Capital letters of five by seven dots, so that labels look the same with every version of every library."""

import numpy as np
import numpy.typing as npt

ROWS, COLUMNS = 7, 5
_DOTS = """
A 0E 11 11 1F 11 11 11
B 1E 11 11 1E 11 11 1E
C 0E 11 10 10 10 11 0E
D 1E 11 11 11 11 11 1E
E 1F 10 10 1E 10 10 1F
F 1F 10 10 1E 10 10 10
G 0E 11 10 17 11 11 0F
H 11 11 11 1F 11 11 11
I 0E 04 04 04 04 04 0E
J 07 02 02 02 02 12 0C
K 11 12 14 18 14 12 11
L 10 10 10 10 10 10 1F
M 11 1B 15 15 11 11 11
N 11 11 19 15 13 11 11
O 0E 11 11 11 11 11 0E
P 1E 11 11 1E 10 10 10
Q 0E 11 11 11 15 12 0D
R 1E 11 11 1E 14 12 11
S 0F 10 10 0E 01 01 1E
T 1F 04 04 04 04 04 04
U 11 11 11 11 11 11 0E
V 11 11 11 11 11 0A 04
W 11 11 11 15 15 1B 11
X 11 11 0A 04 0A 11 11
Y 11 11 0A 04 04 04 04
Z 1F 01 02 04 08 10 1F
"""
_LETTERS = {line[0]: [int(row, 16) for row in line[1:].split()] for line in _DOTS.split("\n") if line} | {
    " ": [0] * ROWS
}
_LEFTMOST = 1 << (COLUMNS - 1)


def dots(text: str) -> npt.NDArray[np.bool_]:
    """Which dots of a line of text are set, shape (7, 6 * letters - 1). Letters A to Z and spaces."""
    lines = np.zeros((ROWS, len(text) * (COLUMNS + 1)), np.bool_)
    for index, letter in enumerate(text):
        start = index * (COLUMNS + 1)
        for row, bits in enumerate([0] * ROWS if letter == " " else _LETTERS[letter]):
            lines[row, start : start + COLUMNS] = [
                bool(bits >> (COLUMNS - 1 - column) & 1) for column in range(COLUMNS)
            ]
    return lines[:, :-1]
