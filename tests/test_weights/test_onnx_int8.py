import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from saip_mm.weights.onnx_file import trace_onnx  # noqa: E402
from saip_mm.weights.onnx_int8 import _cosines  # noqa: E402
from saip_mm.weights.onnx_int8 import output_errors  # noqa: E402
from saip_mm.weights.onnx_int8 import quantize_dynamic  # noqa: E402
from saip_mm.weights.onnx_int8 import quantize_static  # noqa: E402


class Network(nn.Module):
    """A convolution and, if asked for, a matrix product."""

    def __init__(self, linear):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2)
        self.linear = nn.Linear(8, 16) if linear else nn.Identity()

    def forward(self, images):
        return self.linear(self.conv(images).relu().mean((2, 3)))


def program(linear):
    torch.manual_seed(0)
    network = Network(linear).eval()
    return trace_onnx(network, dict(images=torch.randn(2, 3, 16, 16)),
                      ('features', ))


def batches(count, seed=0):
    rng = np.random.default_rng(seed)
    return [
        dict(images=rng.standard_normal((2, 3, 16, 16)).astype(np.float32))
        for _ in range(count)
    ]


def test_cosines_by_hand():
    a = np.array([[3., 4.], [0., 0.], [1., 0.]])
    b = np.array([[4., 3.], [0., 0.], [0., 1.]])
    assert _cosines(a, b).tolist() == pytest.approx([24 / 25, 1., 0.])


def test_static_is_near_and_eight_bit():
    content = program(linear=True)
    made = quantize_static(content, batches(4))
    assert b'QuantizeLinear' in made
    error = output_errors(content, made, batches(2, seed=1))['features']
    assert 0.99 < error.worst_cosine <= error.cosine < 1
    assert 0 < error.absolute < 0.1 * error.largest_value
    with pytest.raises(ValueError, match='no pictures to calibrate'):
        quantize_static(content, [])


def test_dynamic_takes_products_and_says_where_there_are_none():
    content = program(linear=True)
    made = quantize_dynamic(content)
    error = output_errors(content, made, batches(2))['features']
    assert 0.99 < error.worst_cosine <= error.cosine < 1
    with pytest.raises(ValueError, match='no matrix products'):
        quantize_dynamic(program(linear=False))


class Root(nn.Module):
    """NaN where a picture is negative."""

    def forward(self, images):
        return images.sqrt()


def test_what_is_no_number_is_not_passed_over():
    positive = dict(images=np.ones((2, 3), np.float32))
    content = trace_onnx(Root(), dict(images=torch.ones(2, 3)), ('a', ))
    error = output_errors(
        content, content,
        [positive, dict(images=-positive['images'])])['a']
    assert np.isnan([error.absolute, error.largest_value]).all()


def test_a_network_is_equal_to_itself():
    content = program(linear=True)
    error = output_errors(content, content, batches(2))['features']
    assert error.cosine == 1 and error.absolute == 0
