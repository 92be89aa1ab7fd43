"""Verdicts in words: what an interval of a difference says, given the smallest that matters."""

from approx.stats.evidence import verdict

HELPS, HURTS = "helps", "hurts"
SMALL = "no difference that matters"
HELPS_SOME = "helps, perhaps too little to matter"
HURTS_SOME = "hurts, perhaps too little to matter"
UNDECIDED = "undecided"
DECIDED = (HELPS, HURTS, SMALL)
SUPPORTED, CONTRADICTED = "supported", "contradicted"


def finding(low: float, high: float, matters: float) -> str:
    """What the interval of a difference of two rates says of a change.

    Args:
        low: the lower end of the interval.
        high: the upper end.
        matters: the smallest difference that matters, positive.

    Returns:
        "helps" or "hurts" if the whole interval lies beyond what matters, "no difference that
        matters" if it lies within; "helps, perhaps too little to matter" and its opposite if only
        the direction is sure; "undecided" otherwise.

    Example:
        >>> finding(0.02, 0.3, 0.1)
        'helps, perhaps too little to matter'
    """
    if verdict(low, high, (matters, 1.0)) == SUPPORTED:
        return HELPS
    if verdict(low, high, (-1.0, -matters)) == SUPPORTED:
        return HURTS
    if -matters < low and high < matters:
        return SMALL
    if low > 0:
        return HELPS_SOME
    if high < 0:
        return HURTS_SOME
    return UNDECIDED


def remark(low: float, high: float, matters: float, said: str, sign: int) -> str:
    """What is known of a claim about a difference besides its verdict; "" if nothing is.

    Args:
        low: the lower end of the deciding interval.
        high: the upper end.
        matters: the smallest difference that matters.
        said: the claim's verdict.
        sign: which way the claim points: 1, -1, or 0 for no difference.
    """
    found = finding(low, high, matters)
    if said == UNDECIDED and found in (HELPS_SOME, HURTS_SOME):
        return f"it {found}"
    if said == CONTRADICTED and sign and found == SMALL:
        return "the difference is smaller than matters"
    opposite = HURTS if sign > 0 else HELPS
    if said == CONTRADICTED and sign and found == opposite:
        return f"it {opposite}"
    return ""
