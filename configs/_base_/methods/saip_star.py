# SAIP*: a frozen expert in place of the average. How its paper used it is not
# stated; what stands here is ours, `alignment` follows the authors' deleted
# code. docs/experts.md has other experts. A leaf takes what it needs:
#   _base_ = ['./vit_tiny.py', '../_base_/methods/saip_star.py']
#   model = dict(expert=dict(_base_.expert, _delete_=True),
#                heads=dict(csm=dict(_base_.channels, _delete_=True)))
# The file, PATH's ViT-B (CVPR 2023), wherever it lies:
#   --cfg-options model.expert.checkpoint=FILE
expert = dict(
    type='FrozenExpert',
    checkpoint='data/experts/path_vitb.pth',
    out_index=10,  # ours: PATH's tasks never trained the twelfth block
    final_norm=False)  # ours: made for the twelfth; a plain one follows

# cross-entropy between softmaxes over the expert's channels, whose deviation
# is 1; DINO's temperatures are for cosines, of 1/16
channels = dict(
    type='CrossScaleMatchingHead',
    decoder=dict(
        type='AlignmentDecoder',
        hidden_dims=2048,  # release
        bottleneck_dims=256),  # release
    student_temperature=1.5,  # ours
    expert_temperature=0.6,  # ours
    loss_weight=1.0)  # ours

# the expert's image tokens and last attention, nothing else
alignment = dict(
    type='AlignmentHead',
    terms=dict(
        image=1.0,  # authors; the weight is ours
        attention=1.0),  # likewise
    distance='cosine',  # authors
    decoder=dict(
        hidden_dims=2048,  # release
        bottleneck_dims=256))  # release
alignment_expert = dict(
    out_index=11,  # authors
    final_norm=True)  # authors
alignment_crops = dict(
    num_scales=1,  # authors: two global crops, the anchor is one
    num_locals=8,  # authors
    background_size=None)
