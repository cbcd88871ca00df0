"""What a card says of baselines."""

import pytest

from unrolled.tasks.card import ahead

BASELINES = {"bag_of_words": {"accuracy": 0.9, "loss": 0.5}, "majority": {"accuracy": 0.5}}


@pytest.mark.parametrize(
    ("own", "judged_by", "said"),
    [
        ({"accuracy": 0.8}, {"accuracy": True}, ["bag of words is better here: accuracy 0.9000, this model 0.8000"]),
        ({"accuracy": 0.9}, {"accuracy": True}, []),
        (
            {"accuracy": 0.4, "loss": 0.6},
            {"loss": False},
            ["bag of words is better here: loss 0.5000, this model 0.6000"],
        ),
        (
            {"accuracy": 0.8},
            {"span_f1": True, "accuracy": True},
            ["bag of words is better here: accuracy 0.9000, this model 0.8000"],
        ),
        ({"accuracy": 0.8}, {}, []),
        ({"accuracy": None}, {"accuracy": True}, []),
    ],
)
def test_who_is_ahead(own: dict, judged_by: dict, said: list[str]) -> None:
    assert ahead({**own, "baselines": BASELINES}, judged_by) == said
    assert ahead(own, judged_by) == []
