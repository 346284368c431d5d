# The expert of SAIP* in the comparison of README.md: StarNet-S4, of 7.2 M
# parameters, trained by SAIP as StarNet-S3 is
_base_ = '../saip/demo_starnet_s3.py'

model = dict(encoder=dict(backbone=dict(model_name='starnet_s4')))
