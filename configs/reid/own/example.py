# Persons of one's own: copy this file, change what is marked, and train.
#   python tools/train.py my_persons.py
#   python tools/test.py my_persons.py work_dirs/my_persons/epoch_60.pth
#
# Files are named as Market1501's: number of the person, _c and number of the
# camera, then whatever keeps names apart. Three folders:
#   data/my_persons/bounding_box_train/0002_c1_0001.jpg   to train
#   data/my_persons/query/0501_c1_0001.jpg                who is searched for
#   data/my_persons/bounding_box_test/0501_c2_0001.jpg    where to search
# Persons to train with and to test with are different ones. A query is
# answered by pictures of other cameras: each person has to be under two.
# Number 0 is nobody in particular, whom the gallery alone may hold.
_base_ = '../market1501/vit_tiny.py'  # yours: the path to that file

data_root = 'data/my_persons'  # yours; '~/my_persons' is in your home
limits = dict(
    max_pid=9999,  # yours: the largest number of a person
    num_cams=8)  # yours: the largest number of a camera

# Persons in bounding_box_train; IdentityCountHook names the number where this
# is another one
model = dict(head=dict(num_classes=500))  # yours

train_dataloader = dict(
    batch_size=64,  # 16 persons of 4 pictures each; at least 8
    dataset=dict(data_root=data_root, **limits))
val_dataloader = dict(dataset=dict(data_root=data_root, **limits))
test_dataloader = val_dataloader

# half of the epochs is enough in the paper's Table 6; the rate goes along
train_cfg = dict(max_epochs=60)
