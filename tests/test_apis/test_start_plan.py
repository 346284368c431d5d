"""Settings by folder and machine, against numbers worked out by hand."""
import pytest

from saip_mm.apis import start_plan
from saip_mm.apis.start_plan import BACKBONES, Machine, make_plan, this_machine

LAPTOP = Machine(gpus=0, memory=0., cores=4, bfloat16=False)
SERVER = Machine(gpus=8, memory=79.1, cores=64, bfloat16=True)


def test_a_thousand_pictures_on_a_laptop():
    plan = make_plan(1094, 'vit_tiny', LAPTOP)
    assert plan.size.value == (96, 48) and plan.batch_size.value == 24
    # 1094 // 24 = 45 steps an epoch; 2500 / 45 = 55.6
    assert plan.epochs.value == 56 and plan.steps == 2520
    assert plan.matching.value == 'batch'
    assert plan.precision.value == 'float32'
    assert plan.workers.value == 1
    assert plan.rate.value == 5e-4 and plan.momentum.value == 0.99
    assert plan.warm_up.value == 252 and not plan.is_long


def test_the_recipe_of_the_paper_on_its_machine():
    plan = make_plan(1_284_228, 'vit_tiny', SERVER, processes=8)
    assert plan.size.value == (256, 128) and plan.batch_size.value == 256
    # 160529 pictures a process, 627 steps an epoch
    assert plan.epochs.value == 300 and plan.steps == 188_100
    assert plan.matching.value == 'prototypes'
    assert plan.rate.value == pytest.approx(2e-3)
    assert plan.momentum.value == 0.996 and plan.scales.value == (0.75, 1.5)
    assert plan.warm_up.value == 6270  # ten epochs
    assert plan.precision.value == 'mixed' and plan.workers.value == 8
    assert plan.is_long


def test_a_small_folder_on_a_gpu_gets_small_steps():
    plan = make_plan(1094, 'starnet_s3', SERVER)
    assert plan.batch_size.value == 54  # 1094 // 20
    assert plan.steps == 300 * 20 and plan.matching.value == 'batch'
    assert 'otherwise 256' in plan.batch_size.why


@pytest.mark.parametrize('memory, size, batch', [
    (79.1, None, 256),
    (23.6, None, 80),
    (15.7, None, 48),
    (15.7, (128, 64), 208),
    (3.8, None, 8),
])
def test_a_batch_by_the_memory(memory, size, batch):
    machine = Machine(1, memory, 8, False)
    plan = make_plan(100_000, 'vit_tiny', machine, size=size)
    assert plan.batch_size.value == batch


@pytest.mark.parametrize('machine', [LAPTOP, SERVER])
@pytest.mark.parametrize('images', [2, 3, 5, 30, 47, 1000, 10**7])
@pytest.mark.parametrize('backbone', BACKBONES)
def test_every_folder_has_a_step(images, backbone, machine):
    plan = make_plan(images, backbone, machine)
    assert 2 <= plan.batch_size.value <= images
    assert plan.epochs.value >= 1
    assert plan.steps == images // plan.batch_size.value * plan.epochs.value
    assert 0 <= plan.warm_up.value < plan.steps
    assert all(choice.why for choice in plan if hasattr(choice, 'why'))


@pytest.mark.parametrize('images, processes, asked, words', [
    (1, 1, {}, '1 pictures for 1 processes'),
    (3, 3, {}, 'needs at least 2'),
    (10, 1, dict(batch_size=11), 'there are only 10 pictures'),
    (10, 2, dict(batch_size=6), 'there are only 5 pictures for each process'),
    (10, 1, dict(batch_size=1), 'batch size 1: matching'),
    (10, 1, dict(batch_size=0), 'batch size 0: it must be a whole number'),
    (10, 1, dict(epochs=0), 'epochs 0: it must be a whole number'),
    (10, 1, dict(epochs=-3), 'epochs -3'),
    (10, 1, dict(epochs=1.5), 'epochs 1.5'),
    (10, 1, dict(epochs=True), 'epochs True'),
    (10, 1, dict(size=(100, 48)), 'size 100x48: height and width must be'),
    (10, 1, dict(size=(96, )), 'size 96: height'),
    (10, 1, dict(size=(96., 48.)), 'size 96.0x48.0'),
    (10, 1, dict(workers=-1), 'workers -1: a whole number'),
    (10, 1, dict(matching='both'), "unknown matching 'both'"),
    (10, 1, dict(precision='half'), "unknown precision 'half'"),
    (10, 1, dict(backbone='vit_huge'),
     "unknown backbone 'vit_huge': it is one of vit_tiny, starnet_s3"),
])
def test_what_is_not_possible_is_named(images, processes, asked, words):
    backbone = asked.pop('backbone', 'vit_tiny')
    with pytest.raises(ValueError) as error:
        make_plan(images, backbone, LAPTOP, processes, **asked)
    assert words in str(error.value)


def test_what_is_asked_for_is_taken():
    asked = dict(
        epochs=3,
        batch_size=7,
        size=(128, 48),
        matching='prototypes',
        precision='mixed',
        workers=0)
    plan = make_plan(100, 'starnet_s3', LAPTOP, **asked)
    for name, value in asked.items():
        assert getattr(plan, name).value == value
    assert 'only with StarNet-S3, at 64x32' in plan.matching.why


def test_bfloat16_where_the_cpu_has_it():
    fast = LAPTOP._replace(bfloat16=True)
    assert make_plan(100, 'vit_tiny', fast).precision.value == 'mixed'


def test_this_machine_without_a_gpu(monkeypatch):
    monkeypatch.setattr(start_plan, 'has_gpu', lambda: False)
    machine = this_machine()
    assert machine.gpus == 0 and machine.memory == 0. and machine.cores >= 1
