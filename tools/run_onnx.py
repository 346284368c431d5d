"""Run an exported network with onnxruntime and NumPy alone.

    python run_onnx.py NAME.onnx picture.npy [out.npz]

Copy it where you like: nothing of saip_mm or torch is imported. The .npy
holds pictures (N, H, W, 3) uint8, RGB, of the size in NAME.json; without it,
or with a hyphen, noise is taken. What takes boxes or words gets, likewise,
an .npz of arrays by the names of its inputs.
"""
import json
import sys

import numpy as np
import onnxruntime

path, given, out, *_ = sys.argv[1:] + ['-', '']
with open(path[:-len('.onnx')] + '.json', encoding='utf-8') as file:
    sidecar = json.load(file)
if given.endswith('.npz'):
    inputs = dict(np.load(given))
elif sidecar['input'] is None:
    wanted = {x['name']: x['shape'] for x in sidecar['inputs']}
    sys.exit(f'{path} takes an .npz of {wanted}')
else:
    height, width = sidecar['size']
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (1, height, width, 3), np.uint8)
    if given != '-':
        images = np.load(given)
    if images.shape[1:] != (height, width, 3) or images.dtype != np.uint8:
        sys.exit(f'{given} is {images.shape} {images.dtype}, must be '
                 f'(N, {height}, {width}, 3) uint8')
    mean, std = (np.float32(sidecar['input'][k]) for k in ('mean', 'std'))
    images = (images.astype(np.float32) - mean) / std
    inputs = dict(images=np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
session = onnxruntime.InferenceSession(
    path, providers=['CPUExecutionProvider'])
names = [x.name for x in session.get_outputs()]
found = dict(zip(names, session.run(names, inputs)))
for name, values in found.items():
    print(f'{name} {values.shape} {values.dtype}, from {values.min():.4g} to '
          f'{values.max():.4g}')
if out:
    np.savez(out, **found)
