# Labels of one's own with A-CE2P and self-correction, instead of the light
# UPerNet of example.py, which says how data lie and labels are drawn.
#   python tools/train.py my_parts.py
#   python tools/test.py my_parts.py work_dirs/my_parts/epoch_150.pth --tta
_base_ = '../lip/vit_tiny_authors.py'  # yours: the path to that file

data_root = 'data/my_parts'  # yours
classes = ('background', 'hair', 'face', 'torso', 'left_arm', 'right_arm',
           'left_hand', 'right_hand', 'hips', 'left_leg', 'right_leg', 'shoes'
           )  # yours, in the order of their numbers
metainfo = dict(classes=classes)  # palette and flip_pairs as in example.py

model = dict(decode_head=dict(num_classes=len(classes)))

dataset = dict(
    type='PartsDataset',
    data_root=data_root,
    metainfo=metainfo,
    img_suffix='.jpg',
    seg_map_suffix='.png')
train_dataloader = dict(
    batch_size=12,  # per GPU; at least 2, for BatchNorm
    dataset=dict(
        **dataset,
        ann_file='train.txt',  # yours; '' takes everything in the folder
        data_prefix=dict(img_path='images', seg_map_path='labels')))  # yours
val_dataloader = dict(
    dataset=dict(
        **dataset,
        ann_file='val.txt',
        data_prefix=dict(img_path='images', seg_map_path='labels')))
test_dataloader = val_dataloader

# 150 epochs are for LIP's 30 462 pictures. 60 of them, with cosine and cycles
# in proportion: tools/train.py my_parts.py --schedule 0.4. The warm-up stays
# as long as it leaves the cosine an epoch, down to 0.27, and shrinks below.
# Let what comes before the cycles be most: in the cycles the weights learn
# from their own average and the labels count little.
