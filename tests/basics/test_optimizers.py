"""Every optimizer as a recipe meets it; and Muon against torch's Muon and AdamW, which it joins."""

import copy
import json

import pytest
import torch
from torch import nn

import zoo_basics
from zoo.recipes.schema import parameters_of
from zoo.runs.checkpoint import join_tensors, split_tensors
from zoo_basics.muon import Muon, orthogonal

COMPONENTS = {component.name: component for component in zoo_basics.OPTIMIZERS}


def small_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3))


def train(model, optimizer, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(steps):
        inputs, target = torch.randn(8, 1, 4, 4, generator=generator), torch.randint(3, (8,), generator=generator)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_recipe_can_write_every_parameter(name):
    parameters = parameters_of(COMPONENTS[name].load(), ("params",))
    assert "lr" in parameters
    assert {key: found for key, found in parameters.items() if found.required or found.type is None} == {}


@pytest.mark.parametrize("name", COMPONENTS)
def test_an_optimizer_goes_on_from_its_saved_state(name):
    """The state passes through JSON and named tensors, as in a checkpoint."""
    whole = small_model()
    optimizer = COMPONENTS[name].load()(whole.parameters())
    first = copy.deepcopy(whole.state_dict())
    train(whole, optimizer, 3)
    assert any(not torch.equal(first[key], value) for key, value in whole.state_dict().items())

    resumed = copy.deepcopy(whole)
    plain, tensors = split_tensors(optimizer.state_dict())
    state = join_tensors(json.loads(json.dumps(plain)), {key: value.clone() for key, value in tensors.items()})
    fresh = COMPONENTS[name].load()(resumed.parameters())
    fresh.load_state_dict(state)

    assert train(whole, optimizer, 3, seed=1) == train(resumed, fresh, 3, seed=1)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key])


def test_muon_moves_matrices_as_torch_s_muon_and_vectors_as_adamw():
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 4))
    theirs = copy.deepcopy(ours)
    joint = Muon(ours.parameters(), lr=0.01, weight_decay=0.2)
    pair = [
        torch.optim.Muon(
            [theirs[0].weight, theirs[2].weight], lr=0.01, weight_decay=0.2, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW([theirs[0].bias, theirs[2].bias], lr=0.01, weight_decay=0.2),
    ]
    for _ in range(5):
        inputs = torch.randn(16, 6)
        for model in (ours, theirs):
            model.zero_grad()
            model(inputs).square().mean().backward()
        joint.step()
        for optimizer in pair:
            optimizer.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_muon_takes_a_kernel_as_a_matrix():
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.randn(5, 2, 3, 3).to(memory_format=torch.channels_last))
    matrix = nn.Parameter(kernel.detach().flatten(1).clone())
    gradient = torch.randn(5, 2, 3, 3)
    kernel.grad, matrix.grad = gradient, gradient.flatten(1).clone()
    for parameter in (kernel, matrix):
        Muon([parameter], lr=0.1).step()
    torch.testing.assert_close(kernel.detach().flatten(1), matrix.detach())


def test_muon_without_orthogonalize_is_adamw():
    ours = small_model()
    theirs = copy.deepcopy(ours)
    losses = train(ours, Muon(ours.parameters(), orthogonalize=False), 4)
    assert losses == train(theirs, torch.optim.AdamW(theirs.parameters(), weight_decay=0.1), 4)


def test_muon_leaves_parameters_without_gradient_alone():
    used, unused = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    used.grad = torch.eye(2)
    Muon([used, unused]).step()
    assert not torch.equal(used, torch.ones(2, 2))
    assert torch.equal(unused, torch.ones(2, 2))


@pytest.mark.parametrize("shape", [(8, 8), (4, 32), (32, 4)])
def test_orthogonal_keeps_singular_vectors_and_evens_out_the_values(shape):
    torch.manual_seed(0)
    left, _ = torch.linalg.qr(torch.randn(shape[0], min(shape)))
    right, _ = torch.linalg.qr(torch.randn(shape[1], min(shape)))
    matrix = left @ torch.diag(torch.linspace(1, 20, min(shape))) @ right.T
    inside = left.T @ orthogonal(matrix).float() @ right
    assert ((inside.diagonal() > 0.6) & (inside.diagonal() < 1.3)).all()
    assert (inside - torch.diag(inside.diagonal())).abs().max() < 0.06


def test_orthogonal_of_nothing_is_nothing():
    assert torch.equal(orthogonal(torch.zeros(3, 2)).float(), torch.zeros(3, 2))


def slow_muon(weights, gradients, lr, decay, momentum):
    """The steps of one matrix in double precision, with the polynomial written out; returns the weights."""
    a, b, c = 3.4445, -4.7750, 2.0315
    average = torch.zeros_like(weights)
    for gradient in gradients:
        average = momentum * average + (1 - momentum) * gradient
        x = momentum * average + (1 - momentum) * gradient
        x = x / x.norm()
        if x.shape[0] > x.shape[1]:
            x = x.T
        for _ in range(5):
            gram = x @ x.T
            x = a * x + b * gram @ x + c * gram @ gram @ x
        if weights.shape[0] > weights.shape[1]:
            x = x.T
        weights = (1 - lr * decay) * weights - lr * 0.2 * max(weights.shape) ** 0.5 * x
    return weights


@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (4, 2, 3, 3)])
@pytest.mark.parametrize("settings", [{}, {"lr": 0.1, "weight_decay": 0.5, "momentum": 0.6}])
def test_muon_moves_as_its_slow_twin(shape, settings):
    """The usual settings are a rate of 0.001, a decay of 0.1 and a momentum of 0.95; bf16 is good to a hundredth."""
    torch.manual_seed(0)
    weights, gradients = torch.randn(shape), [torch.randn(shape) for _ in range(4)]
    param = nn.Parameter(weights.clone())
    optimizer = Muon([param], **settings)
    for gradient in gradients:
        param.grad = gradient.clone()
        optimizer.step()
    lr, decay, momentum = (settings.get(name, usual) for name, usual in USUAL.items())
    flat = [tensor.flatten(1).double() for tensor in (weights, *gradients)]
    expected = slow_muon(flat[0], flat[1:], lr, decay, momentum)
    moved, wanted = param.detach().flatten(1).double() - flat[0], expected - flat[0]
    assert (moved - wanted).norm() < 0.02 * wanted.norm()


USUAL = {"lr": 1e-3, "weight_decay": 0.1, "momentum": 0.95}


def test_muon_hands_adamw_s_settings_on():
    settings = {"lr": 0.05, "weight_decay": 0.3, "betas": (0.5, 0.7), "eps": 0.1}
    ours = small_model()
    theirs = copy.deepcopy(ours)
    losses = train(ours, Muon(ours.parameters(), orthogonalize=False, **settings), 4)
    assert losses == train(theirs, torch.optim.AdamW(theirs.parameters(), **settings), 4)
    usual = Muon([nn.Parameter(torch.zeros(1))]).param_groups[0]
    known = torch.optim.AdamW([nn.Parameter(torch.zeros(1))]).param_groups[0]
    assert {name: usual[name] for name in ("betas", "eps")} == {name: known[name] for name in ("betas", "eps")}


def test_groups_of_muon_may_differ():
    """An embedding's group that AdamW moves, beside a matrix that Muon moves."""
    matrix, embedding = (nn.Parameter(torch.randn(3, 4)) for _ in range(2))
    alone = nn.Parameter(embedding.detach().clone())
    optimizer = Muon([{"params": [matrix]}, {"params": [embedding], "orthogonalize": False, "lr": 0.2}])
    adamw = torch.optim.AdamW([alone], lr=0.2, weight_decay=0.1)
    for param in (matrix, embedding, alone):
        param.grad = torch.full((3, 4), 0.5)
    optimizer.step()
    adamw.step()
    torch.testing.assert_close(embedding, alone)
    assert "momentum_buffer" in optimizer.state[matrix] and "momentum_buffer" not in optimizer.state[embedding]


def test_muon_calls_a_closure_with_gradients_and_returns_its_loss():
    param = nn.Parameter(torch.ones(2, 2))
    optimizer = Muon([param])

    def closure():
        optimizer.zero_grad()
        loss = (param**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4
    assert not torch.equal(param, torch.ones(2, 2))
