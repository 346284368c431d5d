"""Run an exported network with onnxruntime and NumPy alone.

    python run_onnx.py NAME.onnx [pictures.npy | inputs.npz] [out.npz]

Copy it where you like: nothing of saip_mm or torch is imported. The .npy
holds pictures (N, H, W, 3) uint8, RGB, of the size in NAME.json; without it,
or with a hyphen, noise is taken. What takes boxes or words gets, likewise,
an .npz of arrays by the names of its inputs.
"""
import hashlib
import json
import os
import sys

import numpy as np
import onnxruntime


def load(path):
    """Sidecar and program, if they belong together."""
    beside = os.path.splitext(path)[0] + '.json'
    for name in (path, beside):
        if not os.path.isfile(name):
            sys.exit(f'error: {name} does not exist: an export is two files, '
                     'NAME.onnx and NAME.json')
    with open(beside, encoding='utf-8') as file:
        sidecar = json.load(file)
    with open(path, 'rb') as file:
        program = file.read()
    if hashlib.sha256(program).hexdigest() != sidecar['sha256']:
        sys.exit(f'error: {beside} is of another file than {path}')
    return sidecar, program


def pictures(given, sidecar):
    """What the network takes of pictures: channels first, normalised."""
    height, width = sidecar['size']
    if given == '-':
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (1, height, width, 3), np.uint8)
    else:
        images = np.load(given)
    if images.shape[1:] != (height, width, 3) or images.dtype != np.uint8:
        sys.exit(f'error: {given} is {images.shape} {images.dtype}, must be '
                 f'(N, {height}, {width}, 3) uint8')
    mean, std = (np.float32(sidecar['input'][k]) for k in ('mean', 'std'))
    images = (images.astype(np.float32) - mean) / std
    return dict(images=np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def arrays(given, sidecar):
    """Inputs by name, as they are."""
    wanted = {x['name']: x['shape'] for x in sidecar['inputs']}
    found = dict(np.load(given)) if given.endswith('.npz') else {}
    if set(found) != set(wanted):
        sys.exit(f'error: it takes an .npz of {wanted}, got {sorted(found)}')
    return found


def main(arguments):
    if not 1 <= len(arguments) <= 3 or arguments[0] in ('-h', '--help'):
        sys.exit(__doc__)
    path, given, out = [*arguments, *['-', ''][len(arguments) - 1:]]
    sidecar, program = load(path)
    named = given.endswith('.npz') or sidecar['input'] is None
    inputs = (arrays if named else pictures)(given, sidecar)
    session = onnxruntime.InferenceSession(
        program, providers=['CPUExecutionProvider'])
    names = [x.name for x in session.get_outputs()]
    found = dict(zip(names, session.run(names, inputs)))
    for name, values in found.items():
        print(f'{name} {values.shape} {values.dtype}, from '
              f'{values.min():.4g} to {values.max():.4g}')
    if out:
        np.savez(out, **found)


if __name__ == '__main__':
    main(sys.argv[1:])
