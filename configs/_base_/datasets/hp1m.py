_base_ = 'person_pipeline.py'

# HP1M: 1 218 136 person images "from 7 publicly available datasets (COCO,
# AIC, etc)", paper Table 5; the other five are not named. What this folder
# holds is a comparable mixture, one run of crop_persons.py a set:
#   data/hp1m/{coco,aic,...}/*.jpg
train_dataloader = dict(dataset=dict(sources=[dict(data_root='data/hp1m')]))
