"""What rooms are furnished with: floors, walls and tables."""

from ambidex.envs.arenas.room import Point, Room, Tone
from ambidex.envs.objects.grain import board, grained
from ambidex.envs.objects.mesh import Mesh, joined
from ambidex.envs.objects.shapes import WHOLE, box
from ambidex.envs.types import ImageArray

ROOM_LOW, ROOM_HIGH = (-2.3, -2.2), (2.6, 2.2)  # where the walls stand [m]
WALL_HEIGHT = 2.6
SKIRTING = 0.09
WHITE: Tone = (0.88, 0.87, 0.85)


def add_floor(room: Room, texture: ImageArray, span: float, axis: int = 1) -> None:
    """The floor to look at, its top at z = 0; one picture covers `span` [m]."""
    top = box((*ROOM_LOW, -0.05), (*ROOM_HIGH, 0.0), {"top": WHOLE})
    room.show(grained(top, axis, span), texture=texture)


def add_walls(room: Room, texture: ImageArray, span: float = 1.0, skirting: Tone = WHITE) -> None:
    """Three walls: behind the robot and to its sides. The fourth is left out, cameras look in there."""
    room.show(_walls(0.0, WALL_HEIGHT, 0.0, span), texture=texture)
    room.show(_walls(0.0, SKIRTING, 0.015, span), skirting)


def _walls(low: float, high: float, inset: float, span: float) -> Mesh:
    """The sides of walls that face the room."""
    (left, near), (right, far) = ROOM_LOW, ROOM_HIGH
    sides = (
        (box((left - 0.05, near, low), (left + inset, far, high), {"right": WHOLE}), 1),
        (box((left, near - 0.05, low), (right, near + inset, high), {"back": WHOLE}), 0),
        (box((left, far - inset, low), (right, far + 0.05, high), {"front": WHOLE}), 0),
    )
    return joined(*(grained(side, axis, span) for side, axis in sides))


def add_table(
    room: Room, low: Point, high: Point, top: ImageArray, frame: Tone, *, span: float = 0.5, axis: int = 1
) -> None:
    """A table with four legs.

    Args:
        room: Where it stands.
        low: Lowest corner of the table top [m].
        high: Highest corner; its z is the surface.
        top: Picture of the top.
        frame: Tone of legs and apron.
        span: What the picture covers [m].
        axis: Axis of the grain.
    """
    room.stand_on_box("table", low, high)
    room.show(board(low, high, axis, span), texture=top)
    room.show(joined(*_legs(low, high), _apron(low, high)), frame)


def _legs(low: Point, high: Point, side: float = 0.06, inset: float = 0.03) -> list[Mesh]:
    return [
        box((x, y, 0.0), (x + side, y + side, low[2]))
        for x in (low[0] + inset, high[0] - inset - side)
        for y in (low[1] + inset, high[1] - inset - side)
    ]


def _apron(low: Point, high: Point, inset: float = 0.04, height: float = 0.08) -> Mesh:
    bottom = (low[0] + inset, low[1] + inset, low[2] - height)
    return box(bottom, (high[0] - inset, high[1] - inset, low[2]))
