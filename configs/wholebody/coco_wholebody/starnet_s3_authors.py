# As SAIP's authors fine-tune in their later code. Their file has the network
# of SAIP*, two transformer blocks of 192 behind StarNet, which is not here:
# this is SAIP's, with the map that their pose config takes.
_base_ = './starnet_s3.py'

model = dict(backbone=dict(last_norm=True))  # authors

optim_wrapper = dict(
    optimizer=dict(
        type='Adam',  # authors
        weight_decay=0.),  # authors
    clip_grad=None)  # authors
