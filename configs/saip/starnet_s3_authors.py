# The last stage at stride 16, as in the authors' later code
_base_ = './starnet_s3.py'

model = dict(encoder=dict(backbone=dict(last_stride=1)))  # authors
