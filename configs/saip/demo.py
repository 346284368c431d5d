# SAIP in a few minutes on a CPU: ViT-Tiny at 96x48 on rendered people
#   python tools/dataset_converters/make_synthetic_people.py data/synthetic \
#       --formats luperson --size tiny
#   python tools/dataset_converters/make_synthetic_people.py \
#       data/synthetic_small --formats market1501 --size small
#   python tools/train.py configs/saip/demo.py
_base_ = ['../_base_/demo/vit_tiny.py', '../_base_/demo/saip.py']

model = dict(encoder=dict(backbone=dict(_base_.backbone, img_size=(96, 48))))
