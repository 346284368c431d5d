_base_ = 'person_pipeline.py'

# IN1K: ImageNet-1K's training set, 1 281 167 images. Paper Table 5 prints
# 1 284 228, which is LUP1M's number; its own last row adds up only with
# 1 281 167. Labels are not used, crops are person-shaped as for all sets.
#   data/imagenet/train/{synset}/*.JPEG
train_dataloader = dict(
    dataset=dict(sources=[dict(data_root='data/imagenet/train')]))
