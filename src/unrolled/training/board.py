"""A TensorBoard file, written as the run goes: no thread in between, so a full disk is told where it is met."""

import socket
import time
from collections.abc import Mapping
from pathlib import Path


class Board:
    """One event file in a folder. Rows of former files at ``step`` or later are void: a resumed run tells them anew."""

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary = Event, Summary
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns():020d}.{socket.gethostname()}"  # TensorBoard reads by name
        self._records = RecordWriter(open(folder / name, "wb"))  # noqa: SIM115 (open until close)
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        self._write(Event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START)))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Show numbers by name at a step."""
        shown = [self._summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write(self._event(wall_time=time.time(), step=step, summary=self._summary(value=shown)))

    def close(self) -> None:
        """End the file."""
        self._records.close()

    def _write(self, event) -> None:
        self._records.write(event.SerializeToString())
        self._records.flush()
