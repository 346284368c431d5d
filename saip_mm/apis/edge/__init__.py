"""Networks for devices: ONNX files, eight-bit ones, what they cost."""
from .export import Exported, export_onnx
from .int8 import Quantized, note_in_sidecar, quantize_onnx
from .latency import (Latency, benchmark_latency, latency_markdown,
                      machine_line, write_latency)
from .rank import rank1_loss, search_scores

__all__ = [
    'Exported', 'Latency', 'Quantized', 'benchmark_latency', 'export_onnx',
    'latency_markdown', 'machine_line', 'note_in_sidecar', 'quantize_onnx',
    'rank1_loss', 'search_scores', 'write_latency'
]
