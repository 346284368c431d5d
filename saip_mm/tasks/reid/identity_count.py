"""Hold the classifier to the persons there are, and look at the search."""
from typing import Dict, List, Set

from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from saip_mm.engine.hooks.model_parts import bare_model
from saip_mm.evaluation.retrieval import no_match


@HOOKS.register_module()
class IdentityCountHook(Hook):
    """Compares the head, and a table of cameras, with the data.

    Too few classes stop with an assertion on the device, too many train
    persons who do not exist. A search without any answer, or by cameras that
    have no vector, would stop at the first validation, hours later.

    Raises:
        ValueError: Before training, naming both numbers and the setting;
            before training or a test, if no query has a match.
    """

    def before_train(self, runner) -> None:
        """Compare; look at what validation will search."""
        self._compare(runner)
        if runner.val_loop is not None:
            self._look(runner, runner.val_dataloader.dataset)

    def before_test(self, runner) -> None:
        """Look at what will be searched."""
        self._look(runner, runner.test_dataloader.dataset)

    @staticmethod
    def _look(runner, dataset) -> None:
        if not hasattr(dataset, 'get_data_info'):
            return
        infos = [dataset.get_data_info(i) for i in range(len(dataset))]
        check_answers(infos)
        table = getattr(bare_model(runner), 'camera', None)
        if table is not None:
            table.check([info['camid'] for info in infos])

    @staticmethod
    def _compare(runner) -> None:
        model = bare_model(runner)
        dataset = runner.train_dataloader.dataset
        people = dataset.metainfo['num_ids']
        if model.head.num_classes != people:
            raise ValueError(
                f'classifier has {model.head.num_classes} classes, training '
                f'set has {people} identities; set model.head.num_classes='
                f'{people}')
        table = getattr(model, 'camera', None)
        if table is None:
            return
        cams = 1 + max(
            dataset.get_data_info(i)['camid'] for i in range(len(dataset)))
        if cams != len(table.table):
            raise ValueError(
                f'SIE has {len(table.table)} cameras, those of the training '
                f'set go up to {cams}; set model.sie.num_cams={cams}')


def check_answers(infos: List[dict]) -> None:
    """Refuse a search in which no query can be answered.

    Args:
        infos (list[dict]): Entries of queries and gallery, ``pid``, ``camid``
            and ``is_query`` each.

    Raises:
        ValueError: If none has a picture of the person by another camera.
    """
    cameras: Dict[int, Set[int]] = {}
    for info in infos:
        if not info['is_query']:
            cameras.setdefault(info['pid'], set()).add(info['camid'])
    queries = [info for info in infos if info['is_query']]
    if queries and not any(
            cameras.get(info['pid'], set()) - {info['camid']}
            for info in queries):
        raise ValueError(
            no_match(
                len(queries),
                len(infos) - len(queries),
                len({info['camid']
                     for info in infos})))
