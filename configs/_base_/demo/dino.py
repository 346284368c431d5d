# DINO's loss and views for the demos of saip/, at their size. Numbers are
# ours, made for the clock. A leaf takes what it needs:
#   _base_ = ['../saip/demo.py', '../_base_/demo/dino.py']
#   model = dict(_base_.dino)
dino = dict(
    type='ViewPretraining',
    data_preprocessor=dict(scale_range=(1., 1.)),  # all globals of one size
    heads=dict(
        _delete_=True,
        dino=dict(
            type='DINOHead',
            # with the moving mean and T_e 0.04, DINO's, ViT-Tiny's targets
            # stay all but uniform for 500 steps, see docs/evidence.md
            centering='sinkhorn',
            expert_temperature=0.01,
            decoder=dict(
                type='ImageDecoder',
                hidden_dims=512,
                bottleneck_dims=128,
                num_prototypes=512))))
dino_crops = dict(num_locals=2, local_size=(32, 16), background_size=None)
dino_hooks = [
    dict(type='ExpertUpdateHook', base_momentum=0.99),
    dict(type='FreezePrototypesHook', epochs=1),
]
