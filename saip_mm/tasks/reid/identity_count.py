"""Hold the classifier to the persons there are."""
from mmengine.hooks import Hook

from mmpretrain.registry import HOOKS
from saip_mm.engine.hooks.model_parts import bare_model


@HOOKS.register_module()
class IdentityCountHook(Hook):
    """Compares the head, and a table of cameras, with the training set.

    Too few classes stop with an assertion on the device, too many train
    persons who do not exist.

    Raises:
        ValueError: Before training, naming both numbers and the setting.
    """

    def before_train(self, runner) -> None:
        """Compare."""
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
