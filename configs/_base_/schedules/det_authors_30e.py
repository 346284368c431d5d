# Detection as in the later code of SAIP's authors: CrowdDet's steps, decay of
# every tensor. Their number of GPUs is open.
_base_ = './det_adamw_30e.py'

optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW',
        lr=2e-4,  # authors
        betas=(0.9, 0.999),  # authors: the default
        weight_decay=1e-4))  # authors
