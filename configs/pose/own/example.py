# Keypoints of one's own: six here. Copy this file to a folder of yours, let
# _base_ lead to configs/pose/coco, and write your names, files and sigmas.
_base_ = '../coco/vit_tiny.py'

metainfo = dict(
    dataset_name='own',  # any name but those of other data sets
    # in the order of the files; swap: its name in a mirror, if another; type:
    # half of the body, for RandomHalfBody (from 9 labelled keypoints on)
    keypoint_info={
        0: dict(name='left_shoulder', swap='right_shoulder', type='upper'),
        1: dict(name='right_shoulder', swap='left_shoulder', type='upper'),
        2: dict(name='left_hip', swap='right_hip', type='lower'),
        3: dict(name='right_hip', swap='left_hip', type='lower'),
        4: dict(name='left_ankle', swap='right_ankle', type='lower'),
        5: dict(name='right_ankle', swap='left_ankle', type='lower'),
    },
    # lines to draw; may be left out
    skeleton_info={
        0: dict(link=('left_shoulder', 'left_hip')),
        1: dict(link=('left_hip', 'left_ankle')),
        2: dict(link=('right_shoulder', 'right_hip')),
        3: dict(link=('right_hip', 'right_ankle')),
    },
    # how far labels scatter, as a share of the person: what AP forgives.
    # COCO's: 0.025 eyes, 0.035 ears, 0.079 shoulders, 0.072 elbows, 0.062
    # wrists, 0.107 hips, 0.087 knees, 0.089 ankles
    sigmas=[0.079, 0.079, 0.107, 0.107, 0.089, 0.089])

model = dict(head=dict(out_channels=6))  # as many as names

# COCO's format: images (id, file_name, height, width) and annotations (id,
# image_id, category_id, bbox [x, y, width, height], keypoints, here 18
# numbers, x, y, v each, v 0 where not labelled; optional area, iscrowd)
data = dict(data_root='data/own', metainfo=metainfo)
train_dataloader = dict(
    dataset=dict(
        ann_file='train.json', data_prefix=dict(img='images/'), **data))
val_dataloader = dict(
    dataset=dict(
        ann_file='val.json',
        data_prefix=dict(img='images/'),
        bbox_file=None,  # annotated boxes; or a detector's, as for coco
        **data))
test_dataloader = val_dataloader
