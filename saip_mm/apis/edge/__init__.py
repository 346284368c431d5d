"""Networks for devices: ONNX files, eight-bit ones, what they cost."""
from .export import Exported, export_onnx
from .int8 import Quantized, note_in_sidecar, quantize_onnx, takes
from .latency import Latency, benchmark_latency
from .latency_table import (check_table, latency_markdown, machine_line,
                            write_latency)
from .rank import rank1_loss, search_scores, vector_of

__all__ = [
    'Exported', 'Latency', 'Quantized', 'benchmark_latency', 'check_table',
    'export_onnx', 'latency_markdown', 'machine_line', 'note_in_sidecar',
    'quantize_onnx', 'rank1_loss', 'search_scores', 'takes', 'vector_of',
    'write_latency'
]
