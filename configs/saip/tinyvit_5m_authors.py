# The last stage at stride 16, and a neck behind it, as in the authors' later
# code: 5.74 M parameters, image token 256
_base_ = './tinyvit_5m.py'

model = dict(
    encoder=dict(backbone=dict(
        last_stride=1,  # authors
        neck_channels=256)))  # authors
