"""Streams: rows that lie in the text one after the other, and windows that lie in the rows one after the other."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.streams import Streams
from unrolled.errors import UsageError


@st.composite
def layouts(draw):
    """A number of tokens S with a batch and a window that it is long enough for."""
    batch, window = draw(st.integers(1, 7)), draw(st.integers(1, 9))
    return draw(st.integers(batch * (window + 1), batch * (window + 1) + 60)), batch, window


@given(layouts())
def test_rows_put_end_to_end_are_the_text_without_the_fewest_tokens_at_its_end(layout):
    tokens, batch, window = layout
    streams = Streams(torch.arange(tokens), batch, window)
    assert streams.rows.flatten().tolist() == list(range(tokens - streams.dropped))
    assert 0 <= streams.dropped < batch


@given(layouts())
def test_consecutive_windows_concatenate_to_the_rows(layout):
    tokens, batch, window = layout
    streams = Streams(torch.arange(tokens), batch, window)
    inputs, targets = zip(*streams, strict=True)
    assert torch.equal(torch.cat(inputs, 1), streams.rows[:, :-1])
    assert torch.equal(torch.cat(targets, 1), streams.rows[:, 1:])


@given(layouts())
def test_every_token_but_the_first_of_each_row_is_a_target_once(layout):
    tokens, batch, window = layout
    streams = Streams(torch.arange(tokens), batch, window)
    seen = torch.cat([targets.flatten() for _, targets in streams])
    first = set(range(0, tokens - streams.dropped, streams.rows.shape[1]))
    assert sorted(seen.tolist()) == sorted(set(range(tokens - streams.dropped)) - first)


@given(layouts())
def test_all_windows_are_full_but_perhaps_the_last(layout):
    tokens, batch, window = layout
    streams = Streams(torch.arange(tokens), batch, window)
    shapes = [tuple(part.shape) for pair in streams for part in pair]
    assert set(shapes[:-2]) <= {(batch, window)}
    assert shapes[-1] == shapes[-2]
    assert 1 <= shapes[-1][1] <= window
    assert len(shapes) == 2 * len(streams)


def test_a_window_by_hand():
    streams = Streams(torch.tensor([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]), batch=2, window=3)
    assert (len(streams), streams.dropped) == (2, 1)
    inputs, targets = streams[0]
    assert inputs.tolist() == [[10, 11, 12], [15, 16, 17]]
    assert targets.tolist() == [[11, 12, 13], [16, 17, 18]]
    inputs, targets = streams[-1]
    assert inputs.tolist() == [[13], [18]]
    assert targets.tolist() == [[14], [19]]
    with pytest.raises(IndexError):
        streams[2]


def test_windows_are_views_of_the_ids():
    ids = torch.arange(40)
    inputs, _ = Streams(ids, batch=4, window=3)[0]
    assert inputs.untyped_storage().data_ptr() == ids.untyped_storage().data_ptr()


@given(st.integers(2, 400), st.integers(1, 40), st.integers(1, 40))
def test_a_text_too_short_is_told_with_figures_and_the_advice_works(tokens, batch, window):
    ids = torch.arange(tokens)
    if tokens >= batch * (window + 1):
        assert len(Streams(ids, batch, window)) >= 1
        return
    with pytest.raises(UsageError) as caught:
        Streams(ids, batch, window)
    message = str(caught.value)
    assert f"{tokens:,} tokens" in message
    assert f"{batch * (window + 1):,}" in message
    for way in message.partition("at most ")[2].removesuffix(", or a longer text.").split(" or "):
        options = {"batch": batch, "window": window}
        for option in way.split("--")[1:]:
            name, value = option.split()
            options[name] = int(value)
        assert len(Streams(ids, **options)) >= 1


@pytest.mark.parametrize("tokens", [0, 1])
def test_no_advice_on_batch_or_window_where_none_would_do(tokens):
    with pytest.raises(UsageError, match="a longer text is needed"):
        Streams(torch.arange(tokens), 1, 1)


@pytest.mark.parametrize(("batch", "window"), [(0, 3), (2, 0), (-1, 3)])
def test_a_batch_or_window_below_one_is_refused(batch, window):
    with pytest.raises(UsageError, match=f"at least 1, but are {batch} and {window}"):
        Streams(torch.arange(100), batch, window)


def test_ids_of_more_than_one_dimension_are_refused():
    with pytest.raises(UsageError, match=r"\(4, 25\)"):
        Streams(torch.arange(100).reshape(4, 25), 2, 3)
