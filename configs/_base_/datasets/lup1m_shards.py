_base_ = 'lup1m.py'

# LUP1M in WebDataset's tar shards, docs/shards.md. On disk:
#   python tools/dataset_converters/pack_shards.py \
#       data/luperson data/lup1m_shards --keys lup1m.txt
# on a web server, that folder's address; cache='FOLDER' beside it keeps what
# was fetched for the next epoch. Needs pip install "saip_mm[shards]".
train_dataloader = dict(
    sampler=dict(
        type='ShardSampler',
        batch_size=256,  # the loader's, which train.py copies here
        streams=8,  # num_workers, so that each reads its own shards
        mix=4),  # ours: shards open at a time, shuffled together
    dataset=dict(sources=[dict(data_root='data/lup1m_shards')]))
