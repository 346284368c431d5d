# SAIP*: targets of PATH ViT-B. All three objectives, as of SAIP; its tokens
# are 768 wide. The hooks that follow an average do nothing
# here.
_base_ = ['./vit_tiny.py', '../_base_/methods/saip_star.py']

model = dict(
    expert=dict(_base_.expert, _delete_=True),
    heads=dict(csm=dict(_base_.channels, _delete_=True)))
