# A backbone with the weights others trained on ImageNet, as get_model builds
# it: configs/imagenet/metafile.yml, docs/zoo.md. Its classes are left out.
_base_ = '../backbones/vit_tiny.py'

default_scope = 'mmpretrain'
custom_imports = dict(imports=['saip_mm'], allow_failed_imports=False)

model = dict(
    type='mmpretrain.ImageClassifier',
    backbone=dict(_base_.backbone, out_type='cls_token',
                  drop_path_rate=0.),  # ours
    data_preprocessor=dict(
        type='mmpretrain.ClsDataPreprocessor',
        mean=[123.675, 116.28, 103.53],  # authors; ImageNet
        std=[58.395, 57.12, 57.375],  # authors; ImageNet
        to_rgb=True))
