"""Settings of the caption task: where pictures and captions stand, how pictures are seen, and with which network."""

from typing import Literal

from pydantic import Field

from unrolled.tasks.writing_config import WritingConfig


class CaptionConfig(WritingConfig):
    """Which columns to read, how pictures are seen, and how captions are written."""

    picture: str | None = Field(None, description="column with the names of the picture files (guessed)")
    caption: str | None = Field(None, description="column with the captions (guessed)")
    unit: Literal["char", "word", "bpe"] = Field("word", description="what one step writes")
    longest: int = Field(
        60, ge=1, description="tokens; longer captions are left out of training, and what is written ends there"
    )
    hidden: int = Field(128, ge=1, description="units of a layer (H)")
    embedding: int = Field(64, ge=1, description="numbers that stand for a token")
    bridge: Literal["zero", "learned"] = Field(
        "learned", description="what the decoder begins from: nothing, or what the picture shows as a whole"
    )
    size: int = Field(48, ge=16, description="points a side that every picture is brought to, in its proportions")
    channels: int = Field(32, ge=1, description="channels behind the first convolution; they double twice")
    shift: float = Field(
        0.1, ge=0, lt=1, description="training moves pictures by up to such a share of their size, by chance"
    )
    zoom: float = Field(0.1, ge=0, lt=1, description="training makes pictures larger or smaller by up to such a share")
    colour: float = Field(
        0.2, ge=0, lt=1, description="training changes each channel's brightness by up to such a share"
    )
    mirror: bool = Field(False, description="training mirrors half of the pictures (if left and right do not matter)")
    dropout_picture: float = Field(0.1, ge=0, lt=1, description="share of what is seen in pictures dropped in training")
    baseline: bool = Field(True, description="train the same decoder without the picture too, to compare with")
