_base_ = 'person_pipeline.py'

# LUP1M + IN1K: 1 284 228 + 1 281 167 = 2 565 395 images. Paper Table 5
# prints 2 568 456, see in1k.py. Plain concatenation, every image once.
train_dataloader = dict(
    dataset=dict(sources=[
        dict(data_root='data/luperson', ann_file='lup1m.txt'),
        dict(data_root='data/imagenet/train'),
    ]))
