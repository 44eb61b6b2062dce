"""Time that passes only when somebody sleeps."""

from dataclasses import dataclass, field

from lambdapack.aws.calls import Clock


@dataclass
class FakeTime:
    """Remembers how long each sleep was."""

    now: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep, lambda: 1.0)
