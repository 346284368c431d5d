# SOLIDER on few pictures, for the comparison of README.md
_base_ = ['./dino_vit_tiny.py', '../_base_/demo/solider.py']

model = dict(_base_.solider)
