"""One writer a data set's format; all draw from the same scene model."""
from .base import SIZES, Job, Writer
from .cihp import CihpWriter
from .coco import CocoWriter
from .crowdhuman import CrowdHumanWriter
from .cuhk_pedes import CuhkPedesWriter
from .fashionpedia import FashionpediaWriter
from .icfg_pedes import IcfgPedesWriter
from .lip import LipWriter
from .luperson import LUPersonWriter
from .market1501 import Market1501Writer
from .rstpreid import RstpReidWriter

WRITERS = {
    writer.name: writer
    for writer in (LUPersonWriter(), Market1501Writer(), CocoWriter(),
                   LipWriter(), CrowdHumanWriter(), FashionpediaWriter(),
                   CihpWriter(), CuhkPedesWriter(), IcfgPedesWriter(),
                   RstpReidWriter())
}

__all__ = ['SIZES', 'WRITERS', 'Job', 'Writer']
