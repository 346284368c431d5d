# Labels of one's own: copy this file, change what is marked, and train.
#   python tools/train.py my_parts.py
#   python tools/test.py my_parts.py work_dirs/my_parts/iter_40000.pth --tta
#
# A label is a PNG of one channel and of its picture's size. Each pixel holds
# the number of its class, counted from 0 in the order of `classes`; 255 is
# neither trained nor counted. Pictures and labels have the same name:
#   data/my_parts/images/0001.jpg   data/my_parts/labels/0001.png
# Lists name them by line, without extension: 0001
_base_ = '../lip/vit_tiny.py'  # yours: the path to that file; or another one

data_root = 'data/my_parts'  # yours; '~/my_parts' is in your home
classes = ('background', 'hair', 'face', 'torso', 'left_arm', 'right_arm',
           'left_hand', 'right_hand', 'hips', 'left_leg', 'right_leg', 'shoes'
           )  # yours, in the order of their numbers
metainfo = dict(
    classes=classes,
    # Two more, both optional.
    # palette=[(0, 0, 0), (128, 0, 0), ...]: red, green, blue of each class;
    #   left out, colours are made.
    # flip_pairs=[('left_arm', 'right_arm'), ...] or [(4, 5), ...]: classes
    #   that a mirror exchanges; left out, names that differ in left and right
    #   alone (here arms, hands and legs), none where there are none.
    #   Mirroring in training and in the flip test both ask for them here.
)

# both heads, as the example below: ClassCountHook refuses another number
model = dict(
    decode_head=dict(num_classes=len(classes)),
    auxiliary_head=dict(num_classes=len(classes)))

dataset = dict(
    type='PartsDataset',
    data_root=data_root,
    metainfo=metainfo,
    img_suffix='.jpg',  # also .jpeg and .jfif; ('.jpg', '.png') takes both
    seg_map_suffix='.png')
train_dataloader = dict(
    batch_size=4,  # per GPU
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

# A small data set needs fewer steps than LIP's 40 000 (of 8 x 4 pictures)
# train_cfg = dict(max_iters=8000, val_interval=1000)
