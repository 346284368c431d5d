_base_ = 'person_pipeline.py'

# LUP1M + HP1M + IN1K: 1 284 228 + 1 218 136 + 1 281 167 = 3 783 531
# images, paper Table 5.
train_dataloader = dict(
    dataset=dict(sources=[
        dict(data_root='data/luperson', ann_file='lup1m.txt'),
        dict(data_root='data/hp1m'),
        dict(data_root='data/imagenet/train'),
    ]))
