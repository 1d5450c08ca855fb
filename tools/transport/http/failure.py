"""What submitting through a provider's interface can fail with."""

from ..base import Outcome, TransportFailure
from ..smtp.reply import Phase
from .outcome import explain


class ApiFailure(TransportFailure):
    """A request that did not end in the success that is documented."""

    def __init__(
        self,
        label: str,
        phase: Phase,
        outcome: Outcome,
        cause: BaseException | None = None,
        whose: str = "person",
    ):
        super().__init__(
            explain(outcome, label, whose),
            phase=phase,
            outcome=outcome,
            reply=outcome.reply,
            cause=cause,
        )
