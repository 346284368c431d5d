from .checkpoint_fit import CheckpointFitHook
from .collapse_monitor import CollapseMonitorHook
from .encoder_meta import EncoderMetaHook
from .epoch_length import EpochLengthHook
from .expert_file import ExpertFileHook
from .expert_temperature import ExpertTemperatureHook
from .expert_update import ExpertUpdateHook
from .freeze_prototypes import FreezePrototypesHook
from .iteration_seed import IterationSeedHook
from .pending_gradients import PendingGradientsHook
from .plain_checkpoint import PlainCheckpointHook
from .replaced_images import ReplacedImagesHook
from .resume_epoch import ResumeEpochHook
from .resume_schedule import ResumeScheduleHook
from .retrieval_monitor import RetrievalMonitorHook
from .safe_checkpoint import SafeCheckpointHook
from .weight_decay_log import WeightDecayLogHook

__all__ = [
    'CheckpointFitHook', 'CollapseMonitorHook', 'ExpertTemperatureHook',
    'EncoderMetaHook', 'EpochLengthHook', 'ExpertFileHook', 'ExpertUpdateHook',
    'FreezePrototypesHook', 'IterationSeedHook', 'PendingGradientsHook',
    'PlainCheckpointHook', 'ReplacedImagesHook', 'ResumeEpochHook',
    'ResumeScheduleHook', 'RetrievalMonitorHook', 'SafeCheckpointHook',
    'WeightDecayLogHook'
]
