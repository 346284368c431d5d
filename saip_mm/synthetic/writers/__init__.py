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
from .msmt17 import Msmt17Writer
from .pa100k import PA100KWriter
from .peta import PETAWriter
from .rstpreid import RstpReidWriter

WRITERS = {
    writer.name: writer
    for writer in (LUPersonWriter(), Market1501Writer(), CocoWriter(),
                   LipWriter(), CrowdHumanWriter(), FashionpediaWriter(),
                   CihpWriter(), PA100KWriter(), PETAWriter(),
                   Msmt17Writer('V1'), Msmt17Writer('V2'), CuhkPedesWriter(),
                   IcfgPedesWriter(), RstpReidWriter())
}

__all__ = ['SIZES', 'WRITERS', 'Job', 'Writer']
