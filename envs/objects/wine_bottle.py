"""The wine bottle, which stands, and lies in the rack."""

import mujoco

from ambidex.envs.objects.builder import ObjectBuilder
from ambidex.envs.objects.canvas import Canvas
from ambidex.envs.objects.rings import collide_bar
from ambidex.envs.objects.shapes import revolve

BODY, SHOULDER = 0.092, 0.115  # height of the straight part, and of where the neck begins [m]
NECK = 0.0085  # radius [m]


def wine_bottle() -> mujoco.MjSpec:
    """Dark green glass, a cream label, red foil around the neck."""
    builder = ObjectBuilder("wine_bottle")
    given = builder.figures
    x, y, _ = given.centre
    low, length = given.low[2], float(given.size[2])
    wide, deep = float(given.size[0]) / 2, float(given.size[1]) / 2
    label = Canvas(128, 96, (0.06, 0.16, 0.08))
    label.block(0.0, 0.42, 1.0, 0.84, (0.93, 0.89, 0.76)).block(0.0, 0.77, 1.0, 0.8, (0.45, 0.05, 0.1))
    for u in (0.0, 0.25, 0.5, 0.75, 1.0):  # the picture's ends meet at +x
        label.text("WINE", u, 0.6, (0.45, 0.05, 0.1), width=0.2, height=0.2)
    profile = [(0.0, 0.0), (0.9 * wide, 0.0), (wide, 0.004), (wide, BODY), (0.8 * wide, BODY + 0.013)]
    profile.append((NECK, SHOULDER + 0.008))
    glass = revolve(profile, by_height=True).stretched((1.0, deep / wide, 1.0)).moved((x, y, low))
    builder.show(glass, texture=label.image, gloss=0.9)
    foil = [(NECK, SHOULDER + 0.008), (NECK, length), (0.0, length)]
    builder.show(revolve(foil, 12).moved((x, y, low)), (0.5, 0.06, 0.1), gloss=0.6)
    collide_bar(builder, (x, y, low + BODY / 2), (wide, deep), BODY / 2)
    half = 0.62 * wide
    builder.collide_between((x - half, y - half, low + BODY), (x + half, y + half, low + SHOULDER))
    collide_bar(builder, (x, y, low + (SHOULDER + length) / 2), (NECK, NECK), (length - SHOULDER) / 2, flat=1.0)
    return builder.finish()
