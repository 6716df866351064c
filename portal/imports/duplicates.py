"""Which idea of a file is supported under which: chains and circles lead to one main idea."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence


def main_ideas(
    duplicates: Mapping[str, Sequence[str]], is_there: Callable[[str], bool]
) -> tuple[dict[str, str], list[str]]:
    """Return the main idea of each duplicate, and the duplicates that name no idea which is there.

    Of several names the first that is there counts. In a circle the one that comes first in ``duplicates`` is the main
    idea.
    """
    targets = {
        one: target for one, others in duplicates.items() if (target := _first(one, others, is_there)) is not None
    }
    lost = [one for one in duplicates if one not in targets]
    order = {one: place for place, one in enumerate(targets)}
    mains: dict[str, str] = {}
    for one in targets:
        path: dict[str, None] = {}
        at = one
        while at in targets and at not in path and at not in mains:
            path[at] = None
            at = targets[at]
        if at in path:
            steps = list(path)
            main = min(steps[steps.index(at) :], key=order.__getitem__)
        else:
            main = mains.get(at, at)
        mains |= dict.fromkeys(path, main)
    return {one: main for one, main in mains.items() if one != main}, lost


def _first(one: str, others: Sequence[str], is_there: Callable[[str], bool]) -> str | None:
    return next((other for other in others if other != one and is_there(other)), None)
