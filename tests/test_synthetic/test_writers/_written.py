"""A few pictures of a format, written once for all tests."""
import json
import os.path as osp

from saip_mm.synthetic import WRITERS, write_dataset


def write_few(folder, name, monkeypatch, **sizes):
    """Write one format with fewer pictures and give its folder."""
    module = __import__(WRITERS[name].__module__, fromlist=['plan'])
    for table, counts in sizes.items():
        monkeypatch.setitem(getattr(module, table), 'tiny', counts)
    write_dataset(str(folder), [name], progress=False)
    return osp.join(str(folder), name)


def read_json(*path):
    with open(osp.join(*path), encoding='utf-8') as file:
        return json.load(file)
