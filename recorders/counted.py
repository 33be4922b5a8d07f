"""A number of things in words."""


def counted(number: int, noun: str) -> str:
    """Such as "1 episode" and "2 episodes"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
