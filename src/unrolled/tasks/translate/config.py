"""Settings of the translate task: the two sides, the network, and how it writes."""

from typing import Literal

from pydantic import Field

from unrolled.tasks.writing_config import WritingConfig


class TranslateConfig(WritingConfig):
    """What to read and to write, with which network, and how to search for what is written."""

    batch: int = Field(64, ge=1, description="pairs read side by side (N)")
    source: str | None = Field(None, description="column of the source, or the ending of its file (train.de: de)")
    target: str | None = Field(None, description="column of the target, or the ending of its file (train.en: en)")
    header: bool | None = Field(
        None, description="whether the first line of CSV and TSV names the columns (default: found out)"
    )
    unit: Literal["char", "word", "bpe"] = Field("bpe", description="what one step reads")
    target_unit: Literal["char", "word", "bpe"] | None = Field(
        None, description="what one step writes (default: as it reads)"
    )
    joint: bool = Field(False, description="one vocabulary for both sides")
    bidirectional: bool = Field(True, description="the encoder reads in both directions")
    bridge: Literal["zero", "last", "learned"] = Field(
        "learned", description="from the encoder's last state to the decoder's first"
    )
    alternatives: bool = Field(
        False, description="pairs of one source are alternative answers: a translation is held against the nearest"
    )

    @property
    def units(self) -> tuple[Literal["char", "word", "bpe"], Literal["char", "word", "bpe"]]:
        """What one step reads and writes."""
        return self.unit, self.target_unit or self.unit
