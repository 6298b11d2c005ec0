"""Every study by its name."""

import difflib

from conceptspace.studies import (
    concept_signal,
    corners,
    forecast,
    guidance,
    hidden_capability,
    landscape,
    learning_speed,
    order,
    patching,
    prediction,
    robustness,
    swing_by,
    trajectories,
    turn,
    underspecification,
    vectors,
)
from conceptspace.studies.study import Study

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        concept_signal.STUDY,
        learning_speed.STUDY,
        trajectories.STUDY,
        landscape.STUDY,
        swing_by.STUDY,
        prediction.STUDY,
        forecast.STUDY,
        turn.STUDY,
        hidden_capability.STUDY,
        patching.STUDY,
        guidance.STUDY,
        underspecification.STUDY,
        corners.THREE,
        order.STUDY,
        corners.SIX,
        vectors.STUDY,
        robustness.STUDY,
    )
}
"""Every study by the name that the command line knows it by."""


def find_study(name: str) -> Study:
    """The study of a name.

    Args:
        name: such as `learning-speed`.

    Raises:
        LookupError: if there is none; the message lists those that there are.

    Example:
        >>> find_study("concept-signal").tests
        ('signal/colour', 'signal/size')
    """
    if name not in STUDIES:
        close = difflib.get_close_matches(name, STUDIES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise LookupError(f"there is no study {name!r}{hint} (known: {', '.join(STUDIES)})")
    return STUDIES[name]
