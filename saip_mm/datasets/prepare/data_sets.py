"""Data sets that can be counted: what was published of each, and by whom.

Where to ask for them, and under which terms: docs/data.md.
"""
from dataclasses import dataclass, field
from typing import Dict


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Attributes:
        title (str): Its name.
        root (str): Folder where the configs look for it.
        count (str): ``module:function`` that counts: takes the folder and
            ``read=`` (whether to open every file), returns ``Counted``. It
            is imported at its use, as it may need the library of a task.
        published (dict[str, int]): Numbers by the names that the function
            gives them. What it counts besides is shown without a number.
        if_less (str): What to tell who has less. Defaults to ''.
    """
    title: str
    root: str
    count: str
    published: Dict[str, int] = field(default_factory=dict)
    if_less: str = ''


_COCO = {
    # persons with a labelled joint that are no crowd: HRNet's and mmpose's
    # logs of their data sets
    'train pictures': 118_287,
    'train persons': 149_813,
    'val pictures': 5_000,
    'val persons': 6_352,
    'val boxes of the detector': 104_125,
}
DATA_SETS: Dict[str, DataSet] = dict(
    market1501=DataSet(
        'Market1501',
        'data/market1501',
        'saip_mm.datasets.prepare.person_counts:count_market1501',
        # its readme; junk and identities: TransReID's reader
        {
            'train pictures': 12_936,
            'train identities': 751,
            'query pictures': 3_368,
            'query identities': 750,
            'gallery pictures': 15_913,
            'gallery identities': 751,  # with 0, the distractors
            'gallery junk': 3_819,
            'cameras': 6,
        }),
    cuhk_pedes=DataSet(
        'CUHK-PEDES',
        'data/CUHK-PEDES',
        'saip_mm.tasks.text_reid.counts:count_cuhk_pedes',
        # counted by its readers; papers print 68 108 captions to train
        {
            'train pictures': 34_054,
            'train persons': 11_003,
            'train captions': 68_126,
            'val pictures': 3_078,
            'val persons': 1_000,
            'val captions': 6_158,
            'test pictures': 3_074,
            'test persons': 1_000,
            'test captions': 6_156,
        }),
    icfg_pedes=DataSet(
        'ICFG-PEDES', 'data/ICFG-PEDES',
        'saip_mm.tasks.text_reid.counts:count_icfg_pedes', {
            'train pictures': 34_674,
            'train persons': 3_102,
            'train captions': 34_674,
            'test pictures': 19_848,
            'test persons': 1_000,
            'test captions': 19_848,
        }),
    rstpreid=DataSet(
        'RSTPReid',
        'data/RSTPReid',
        'saip_mm.tasks.text_reid.counts:count_rstpreid',
        # its page: five pictures a person, two captions a picture
        {
            'train pictures': 18_505,
            'train persons': 3_701,
            'train captions': 37_010,
            'val pictures': 1_000,
            'val persons': 200,
            'val captions': 2_000,
            'test pictures': 1_000,
            'test persons': 200,
            'test captions': 2_000,
        }),
    coco=DataSet('COCO keypoints', 'data/coco',
                 'saip_mm.tasks.pose.counts:count_coco', _COCO),
    coco_wholebody=DataSet('COCO-WholeBody v1.0', 'data/coco',
                           'saip_mm.tasks.pose.counts:count_wholebody',
                           _COCO),  # COCO's persons, by the same ids
    lip=DataSet(
        'LIP', 'data/LIP', 'saip_mm.tasks.part_seg.counts:count_lip', {
            'train pictures': 30_462,
            'train labels': 30_462,
            'val pictures': 10_000,
            'val labels': 10_000,
        }),
    cihp=DataSet(
        'CIHP',
        'data/CIHP',
        'saip_mm.tasks.parsing.counts:count_cihp',
        # its authors; persons and parts counted in the lists of val
        {
            'train pictures': 28_280,
            'val pictures': 5_000,
            'val persons': 17_520,
            'val part instances': 121_374,
        },
        if_less='persons and parts are counted with --read alone'),
    crowdhuman=DataSet(
        'CrowdHuman',
        'data/CrowdHuman',
        'saip_mm.tasks.detection.counts:count_crowdhuman',
        # its paper; the persons to validate are not stated
        {
            'train pictures': 15_000,
            'train persons': 339_565,
            'train ignored regions': 99_227,
            'val pictures': 4_370,
        }),
    fashionpedia=DataSet(
        'Fashionpedia',
        'data/fashionpedia',
        'saip_mm.tasks.part_attributes.counts:count_fashionpedia',
        # its paper; those shown and named are all of its taxonomy
        {
            'train pictures': 45_623,
            'train categories': 46,
            'train attributes': 294,
            'val pictures': 1_158,
        }),
    pa100k=DataSet(
        'PA100K',
        'data/PA100k',
        'saip_mm.tasks.attributes.counts:count_pa100k',
        # its paper
        {
            'train pictures': 80_000,
            'val pictures': 10_000,
            'test pictures': 10_000,
            'attributes': 26,
        }),
    peta=DataSet(
        'PETA',
        'data/PETA',
        'saip_mm.tasks.attributes.counts:count_peta',
        # its paper; those of PETA-zs are quoted from the literature
        {
            'pictures': 19_000,
            'persons': 8_699,
            'attributes': 105,
            'random splits': 5,
            'zs train pictures': 11_241,
            'zs val pictures': 3_826,
            'zs test pictures': 3_933,
        },
        if_less='the split of PETA-zs is a file of its own'),
    luperson=DataSet(
        'LUPerson',
        'data/luperson',
        'saip_mm.datasets.prepare.person_counts:count_luperson',
        {'pictures': 4_180_243},
        if_less='a copy made today is incomplete, as videos vanish: '
        'pretraining takes what there is (LUP1M: 1,284,228)'),
    msmt17=DataSet(
        'MSMT17',
        'data/MSMT17',
        'saip_mm.datasets.prepare.person_counts:count_msmt17',
        # both versions; the split of the training pictures into two lists is
        # told by others than its authors, their sum by these
        {
            'train pictures': 30_248,
            'val pictures': 2_373,
            'train identities': 1_041,
            'query pictures': 11_659,
            'query identities': 3_060,
            'gallery pictures': 82_161,
            'gallery identities': 3_060,
            'cameras': 15,
        }),
)
