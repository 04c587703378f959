"""Shortest paths through a maze: from cell to cell, along the middle of the corridors."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array

Cells = npt.NDArray[np.intp]

U = ("#####", "#...#", "###.#", "#...#", "#####")
MEDIUM = (
    "########",
    "#..##..#",
    "#..#...#",
    "##...###",
    "#..#...#",
    "#.#..#.#",
    "#...#..#",
    "########",
)
"""Gymnasium-Robotics' U_MAZE and MEDIUM_MAZE (envs/maze/maps.py): # is wall; the first row lies at most y."""


class Maze:
    """Shortest paths between all open cells, found once; its middle is the world's origin.

    Args:
        rows: the map, open cells being one piece.
        size: a cell's side, m.
    """

    def __init__(self, rows: tuple[str, ...], size: float) -> None:
        self._rows, self._size, self._shape = rows, size, (len(rows), len(rows[0]))
        cells = [(i, j) for i, row in enumerate(rows) for j, mark in enumerate(row) if mark == "."]
        self._centres = np.array([self._centre(*cell) for cell in cells])
        self._nearest = self._nearest_open()
        self._steps, self._next = _shortest(cells)
        self._last = _last_before(self._steps, self._next)

    def __getnewargs__(self) -> tuple[tuple[str, ...], float]:
        """How to make it again: copies and exported files do."""
        return self._rows, self._size

    def path_length(self, here: Array, there: Array) -> Array:
        """(N,) m from one place (N, 2) to the other round the walls."""
        at, to = self._cells(here), self._cells(there)
        steps = self._steps[at, to]
        first, last = self._centres[self._next[at, to]], self._centres[self._last[at, to]]
        corridors = np.maximum(steps - 2, 0) * self._size
        round_walls = _distance(here, first) + corridors + _distance(last, there)
        return np.where(steps <= 1, _distance(here, there), round_walls)

    def next_corner(self, here: Array, there: Array) -> Array:
        """(N, 2) the next cell's middle on that path, or the end where it is in sight."""
        at, to = self._cells(here), self._cells(there)
        seen = (self._steps[at, to] <= 1)[:, None]
        return np.where(seen, there, self._centres[self._next[at, to]])

    def _centre(self, i: int, j: int) -> tuple[float, float]:
        rows, columns = self._shape
        return (j + 0.5 - columns / 2) * self._size, (rows / 2 - i - 0.5) * self._size

    def _cells(self, place: Array) -> Cells:
        """Index of the open cell that each place (N, 2) is in, or next to."""
        rows, columns = self._shape
        i = np.floor(rows / 2 - place[:, 1] / self._size).astype(np.intp)
        j = np.floor(place[:, 0] / self._size + columns / 2).astype(np.intp)
        return self._nearest[np.clip(i, 0, rows - 1), np.clip(j, 0, columns - 1)]

    def _nearest_open(self) -> Cells:
        rows, columns = self._shape
        grid = np.array([[self._centre(i, j) for j in range(columns)] for i in range(rows)])
        gaps = np.linalg.norm(grid[:, :, None] - self._centres, axis=3)
        return np.asarray(gaps.argmin(axis=2))


def _distance(one: Array, other: Array) -> Array:
    return np.asarray(np.linalg.norm(one - other, axis=1))


def _shortest(cells: list[tuple[int, int]]) -> tuple[Cells, Cells]:
    """Steps from each cell to each, and the cell that comes next on the path: (C, C) each."""
    index = {cell: at for at, cell in enumerate(cells)}
    steps = np.full((len(cells), len(cells)), -1)
    following = np.zeros_like(steps)
    for goal in range(len(cells)):
        steps[goal, goal], following[goal, goal] = 0, goal
        queue = deque([goal])
        while queue:
            reached = queue.popleft()
            i, j = cells[reached]
            for neighbour in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                at = index.get(neighbour, goal)
                if steps[at, goal] < 0:
                    steps[at, goal], following[at, goal] = steps[reached, goal] + 1, reached
                    queue.append(at)
    return steps, following


def _last_before(steps: Cells, following: Cells) -> Cells:
    """The cell before the goal on each path; where there is none, the cell itself."""
    count = len(steps)
    last = np.repeat(np.arange(count)[:, None], count, axis=1)
    goals = np.arange(count)
    while (far := steps[last, goals] > 1).any():
        last = np.where(far, following[last, goals], last)
    return last
