# SOLIDER on few pictures, for the comparison of README.md. Maps of 3x2 cells
# have no parts: the last stage keeps stride 16.
_base_ = ['./dino_tinyvit_5m.py', '../_base_/demo/solider.py']

model = dict(
    _base_.solider,
    encoder=dict(_base_.solider.encoder, backbone=dict(last_stride=1)))
