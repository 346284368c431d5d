"""What a training of search by text is checked for before its first step."""
import logging
from typing import Optional

from mmengine.hooks import Hook
from mmengine.logging import print_log

from mmpretrain.registry import HOOKS
from saip_mm.engine.hooks.model_parts import bare_model


@HOOKS.register_module()
class CaptionCheckHook(Hook):
    """Holds the classifier to the persons, and captions to their length.

    Warns once a data set of captions that are cut, with their number and the
    longest.

    Raises:
        ValueError: Before training or testing: if the classifier has other
            classes than the set has persons; if a caption is empty or, with
            ``truncate=False``, too long; if there is none to search by.
    """

    def before_train(self, runner) -> None:
        """Compare persons with classes; read all captions."""
        dataset = runner.train_dataloader.dataset
        persons = dataset.metainfo['num_ids']
        for name, head in bare_model(runner).heads.items():
            classes = getattr(head, 'num_classes', persons)
            if classes != persons:
                raise ValueError(
                    f'model.heads.{name}.num_classes is {classes}, but '
                    f'{type(dataset).__name__} has {persons} persons to '
                    f'train: set model.heads.{name}.num_classes={persons}')
        self._read(runner, dataset)
        if runner.val_loop is not None:
            self._read(runner, runner.val_dataloader.dataset, asks=True)

    def before_test(self, runner) -> None:
        """Read all captions."""
        self._read(runner, runner.test_dataloader.dataset, asks=True)

    def _read(self, runner, dataset, asks: bool = False) -> None:
        if asks and not dataset.metainfo['num_captions']:
            raise ValueError(
                f"split '{dataset.split}' of '{dataset.data_root}' has "
                f'{len(dataset)} pictures and no caption: nothing can be '
                'searched for')
        message = long_captions(dataset, bare_model(runner).tokenizer)
        if message:
            print_log(message, 'current', logging.WARNING)


def long_captions(dataset, tokenizer) -> Optional[str]:
    """How many captions are cut, if any.

    Args:
        dataset (CaptionedPersons): Whose captions.
        tokenizer (CaptionTokenizer): By which.

    Raises:
        ValueError: If one is empty, or too long and not to be cut; names its
            record.
    """
    limit, cut, longest = tokenizer.context_length, 0, 0
    for number in range(len(dataset)):
        info = dataset.get_data_info(number)
        for caption in info['captions']:
            try:
                length = len(tokenizer.encode(caption)) + 2
                if length > limit:
                    tokenizer.check_length(length, caption)
            except ValueError as error:
                raise ValueError(f'record {info["record"]}: {error}') from None
            cut += length > limit
            longest = max(longest, length)
    if not cut:
        return None
    return (f'{cut} captions of {type(dataset).__name__} '
            f"'{dataset.split}' are longer than {limit} tokens and are cut, "
            f'the longest has {longest}')
