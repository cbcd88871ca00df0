"""accelerate and restore: the same objects, parameters and numbers under another class; what stays is named."""

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.ao.nn.quantizable import LSTM as QuantizableLSTM
from torch.nn.utils import parametrizations, parametrize

import unrolled
from layers.torch_twins import agree
from tolerance import assert_close
from unrolled.errors import UsageError
from unrolled.layers.accelerate import Report, accelerate, restore

NAMES = ("RNN", "GRU", "LSTM")
VOCABULARY = 11


class Words(nn.Module):
    """A language model over words, as tutorials write it."""

    def __init__(self, **options) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 6)
        self.rnn = nn.GRU(6, 8, 2, **options)
        self.decoder = nn.Linear(8, VOCABULARY)

    def forward(self, words: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        output, hidden = self.rnn(self.embedding(words), hidden)
        return self.decoder(output).view(-1, VOCABULARY), hidden


class Mixed(nn.Module):
    """A model with a recurrent module of each kind, one of them in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.RNN(3, 4, nonlinearity="relu")
        self.inner = nn.ModuleDict({"lstm": nn.LSTM(4, 4), "again": nn.ModuleList([nn.GRU(4, 4)])})
        self.same = self.inner["lstm"]

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.first, self.inner["lstm"], self.inner["again"][0], self.same):
            x = layer(x)[0]
        return x


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(9)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> Tensor:
    """Losses of so many steps of truncated training on three rows that count in strides, the same at each call."""
    text = (torch.arange(5 * steps + 1).unsqueeze(1) * torch.tensor([1, 2, 5])) % VOCABULARY  # (T, N)
    losses, hidden = [], None
    for start in range(0, 5 * steps, 5):
        scores, hidden = model(text[start : start + 5], hidden)
        hidden.detach_()
        loss = nn.functional.cross_entropy(scores, text[start + 1 : start + 6].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def test_every_recurrent_module_is_swapped_and_stays_itself() -> None:
    model, x = Mixed(), torch.randn(5, 2, 3)
    model.inner["lstm"].eval()
    modules, parameters = dict(model.named_modules()), dict(model.named_parameters())
    keys, expected, text = list(model.state_dict()), model(x), repr(model)
    report = accelerate(model)
    assert report.swapped == ("first", "inner.lstm", "inner.again.0")
    assert report.left == {}
    assert str(report) == "now run by unrolled: first, inner.lstm, inner.again.0"
    assert [type(model.first), type(model.same), type(model.inner["again"][0])] == [
        unrolled.RNN,
        unrolled.LSTM,
        unrolled.GRU,
    ]
    assert model.same is model.inner["lstm"]
    assert all(module is modules[name] for name, module in model.named_modules())
    assert all(parameter is parameters[name] for name, parameter in model.named_parameters())
    assert list(model.state_dict()) == keys
    assert not model.same.training
    assert repr(model) == text
    assert_close(model(x), expected, "training, torch.nn, float32")


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_is_such_a_module_itself_is_swapped_too(name: str) -> None:
    model = getattr(nn, name)(3, 4).double()
    theirs = copy.deepcopy(model)
    report = accelerate(model)
    assert report.swapped == ("",)
    assert str(report) == "now run by unrolled: the model itself"
    assert type(model) is getattr(unrolled, name)
    agree(theirs, model, torch.randn(5, 2, 3, dtype=torch.float64))


def test_hooks_go_on() -> None:
    model, seen = Mixed(), []
    model.first.register_forward_hook(lambda module, given, result: seen.append(type(module)))
    accelerate(model)
    model(torch.randn(5, 2, 3))
    assert seen == [unrolled.RNN]


def test_an_optimizer_made_before_trains_the_model_after() -> None:
    model = Words()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    accelerate(model)
    before = {name: value.clone() for name, value in model.named_parameters()}
    train(model, optimizer, 2)
    assert all(not torch.equal(value, before[name]) for name, value in model.named_parameters())


def test_a_language_model_learns_as_it_did() -> None:
    curves = []
    for change in (lambda model: None, accelerate):
        torch.manual_seed(0)
        model = Words()
        change(model)
        curves.append(train(model, torch.optim.Adam(model.parameters(), lr=0.02), 20))
    assert curves[0][-5:].mean() < curves[0][:5].mean()
    assert_close(curves[1], curves[0], "training, torch.nn, float32")


def test_restore_gives_torchs_forward_again() -> None:
    model, x = Mixed(), torch.randn(5, 2, 3)
    expected = model(x)
    accelerate(model)
    model.first.backend = "loop"
    report = restore(model)
    assert report.swapped == ("first", "inner.lstm", "inner.again.0")
    assert str(report) == "now run by torch.nn: first, inner.lstm, inner.again.0"
    assert [type(model.first), type(model.same), type(model.inner["again"][0])] == [nn.RNN, nn.LSTM, nn.GRU]
    assert "backend" not in vars(model.first)
    assert torch.equal(model(x), expected)
    assert restore(model).swapped == ()


def test_a_second_time_changes_nothing_and_says_so() -> None:
    model = Words()
    accelerate(model)
    report = accelerate(model)
    assert report == Report("now run by unrolled", (), {"rnn": "it is one of unrolled's already"})
    assert str(report) == "now run by unrolled: nothing\nleft: rnn: it is one of unrolled's already"


def test_copies_and_pickles_of_an_accelerated_model() -> None:
    model, words = Words(), torch.randint(VOCABULARY, (5, 3))
    accelerate(model)
    for one in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert type(one.rnn) is unrolled.GRU
        assert torch.equal(one(words)[0], model(words)[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_parametrized_module_stays_parametrized(name: str) -> None:
    model = parametrizations.weight_norm(getattr(nn, name)(3, 4).double(), "weight_hh_l0")
    theirs, other = copy.deepcopy(model), copy.deepcopy(model)
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    assert accelerate(model).swapped == ("",)
    assert isinstance(model, getattr(unrolled, name))
    assert not isinstance(other, getattr(unrolled, name))
    agree(theirs, model, x)
    agree(theirs, copy.deepcopy(model), x)
    assert accelerate(model).left == {"": "it is one of unrolled's already"}
    assert restore(model).swapped == ("",)
    assert not isinstance(model, getattr(unrolled, name))
    assert parametrize.is_parametrized(model, "weight_hh_l0")
    agree(theirs, model, x)
    accelerate(model)
    parametrize.remove_parametrizations(model, "weight_hh_l0")
    assert type(model) is getattr(unrolled, name)
    agree(parametrize.remove_parametrizations(theirs, "weight_hh_l0"), model, x)


class OwnForward(nn.GRU):
    """A user's GRU that does something else."""

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return super().forward(input * 2, hx)


class OwnClass(nn.LSTM):
    """A user's LSTM with a constructor of its own."""


class OurOwn(unrolled.RNN):
    """A user's class derived from ours."""


def patched() -> nn.Module:
    module = nn.GRU(3, 4)
    module.forward = lambda *given: (given, None)
    return module


LEFT: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "a forward of its own": (lambda: OwnForward(3, 4), "its class OwnForward has a forward of its own"),
    "a forward put in": (patched, "it has a forward of its own"),
    "a class of its own": (
        lambda: OwnClass(3, 4),
        "its class OwnClass is derived from torch.nn.LSTM; derive it from unrolled's",
    ),
    "one step at a time": (
        lambda: nn.LSTMCell(3, 4),
        "LSTMCell does one step at a time; the loop over time is the model's own",
    ),
    "complex": (
        lambda: nn.GRU(3, 4, dtype=torch.complex64),
        "its weight_ih_l0 is torch.complex64; unrolled computes in torch.float16, torch.bfloat16, torch.float32, "
        "torch.float64",
    ),
    "quantizable": (
        lambda: QuantizableLSTM(3, 4),
        "it belongs to torch's quantization (torch.ao.nn.quantizable.modules.rnn.LSTM), and computes in its own way",
    ),
}


@pytest.mark.parametrize("what", LEFT)
def test_what_cannot_be_swapped_is_left_and_named(what: str) -> None:
    make, reason = LEFT[what]
    model = nn.ModuleDict({"odd": make(), "plain": nn.RNN(3, 4)})
    kind = type(model["odd"])
    report = accelerate(model)
    assert report.swapped == ("plain",)
    assert report.left["odd"] == reason
    assert f"left: odd: {reason}" in str(report)
    assert type(model["odd"]) is kind
    assert restore(model) == Report("now run by torch.nn", ("plain",), {})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_scripted_is_left_and_named() -> None:
    report = accelerate(torch.jit.script(nn.Sequential(nn.Dropout(0.0), nn.GRU(3, 4))))
    assert report.swapped == ()
    assert report.left == {"1": "it is scripted; accelerate the model instead of scripting it"}


def test_weights_of_another_class_are_left_and_named() -> None:
    class Odd(Tensor):
        pass

    module = nn.GRU(3, 4)
    module.weight_hh_l0 = nn.Parameter(torch.randn(12, 4).as_subclass(Odd))
    assert accelerate(module).left == {"": "its weight_hh_l0 is of class Odd, no plain tensor"}
    assert type(module) is nn.GRU


def test_restore_names_what_is_derived_from_ours() -> None:
    model = nn.Sequential(OurOwn(3, 4))
    assert accelerate(model).left == {"0": "it is one of unrolled's already"}
    assert restore(model) == Report("now run by torch.nn", (), {"0": "its class OurOwn is derived from unrolled's"})


@pytest.mark.parametrize("deed", [accelerate, restore])
def test_what_is_no_module_is_refused(deed: Callable) -> None:
    with pytest.raises(UsageError, match=r"a torch.nn.Module is wanted here, and this is a function"):
        deed(lambda x: x)
