"""A training watched on the terminal: a bar with loss, speed and time left, and a line at each validation."""

from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

if TYPE_CHECKING:  # at run time these would bring torch along, and --help must not wait for it
    from unrolled.tasks.observer import Told
    from unrolled.training.trainer import Progress as Training


def clock(seconds: float) -> str:
    """``0:01:05`` for 65 seconds."""
    return str(timedelta(seconds=round(seconds)))


class Watch:
    """Shows a training on standard error; a context manager, so that the bar goes whatever happens."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), TextColumn("{task.fields[told]}"))
        self.bar = Progress(
            *columns, console=self.console, transient=True, expand=True, disable=not self.console.is_terminal
        )
        self.tasks: dict[str, TaskID] = {}
        self.shown, self.unit = "", "token"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.tasks:
            self.bar.stop()

    def begun(self, told: "Told") -> None:
        """Say what is trained on what, for how long."""
        self.unit = told.unit
        name, comma, rest = told.heading.partition(",")
        self.console.print(f"[bold]{escape(name)}[/bold]{comma}{escape(rest)}")
        for line in told.lines:
            self.console.print(escape(line))
        self.console.print(f"[dim]   time    step  training  validation   ({told.loss})[/dim]")
        self.show("training", 0.0, "")

    def say(self, line: str) -> None:
        """A line between trainings."""
        self.console.print(f"[bold]{escape(line)}[/bold]")

    def stepped(self, progress: "Training") -> None:
        """Move the bar."""
        left = progress.seconds * (1 - progress.share) / progress.share if progress.share else 0.0
        speed = f"{progress.per_second:,.0f} {self.unit}s/s" if progress.per_second else ""
        loss = f"loss {progress.loss:.3f}" if progress.loss == progress.loss else ""
        self.show("training", progress.share, f"{loss}  {speed}  {clock(left)} left")

    def validated(self, progress: "Training", loss: float, sample: str) -> None:
        """A line of figures, and what the network writes by now."""
        shown = escape(repr(" ".join(sample.split()))[1:-1])
        figures = f"{clock(progress.seconds)} {progress.step:7,}  {progress.loss:8.3f}  {loss:10.3f}"
        self.console.print(f"{figures}   [dim]{shown}[/dim]", overflow="ellipsis", no_wrap=True)

    def scoring(self, what: str, done: int, total: int) -> None:
        """Move the bar of a final figure."""
        self.show(f"scoring {what}", done / total, f"{done:,} of {total:,} {self.unit}s")

    def show(self, what: str, share: float, told: str) -> None:
        """Set a bar, made when it is first spoken of; another one takes the place of the last."""
        if not self.tasks:
            self.bar.start()
        if what != self.shown:
            self.shown = what
            for task in self.tasks.values():
                self.bar.update(task, visible=False)
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(what, total=1.0, told=told)
        self.bar.update(self.tasks[what], completed=share, told=told, visible=True)
