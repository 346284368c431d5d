_base_ = './adamw_coslr_300e.py'

# paper 4.2; without a GPU tools/train.py falls back on float32 and says so
optim_wrapper = dict(type='TensorClipAmpOptimWrapper')
