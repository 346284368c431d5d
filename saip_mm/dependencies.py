import warnings
from importlib import import_module

# lower bound included, upper bound excluded; OpenMMLab's own packages and
# the onedl ones have the same import names and count versions alike
SUPPORTED = dict(
    mmengine=('0.8.3', '1.0.0'),
    mmcv=('2.0.0', '3.0.0'),
    mmpretrain=('1.0.0', '2.0.0'))


def check_version(name: str, found: str) -> None:
    """Refuse a version of an OpenMMLab library outside the supported range.

    Args:
        name (str): Import name, a key of ``SUPPORTED``.
        found (str): Its ``__version__``.

    Raises:
        ImportError: If it is outside; says what to install.

    Example:
        >>> check_version('mmcv', '2.3.6')
        >>> check_version('mmcv', '1.7.2')
        Traceback (most recent call last):
        ...
        ImportError: saip_mm needs mmcv>=2.0.0,<3.0.0 but found mmcv 1.7.2: \
pip install "onedl-mmcv>=2.0.0,<3.0.0", or "mmcv>=2.0.0,<3.0.0" if the \
OpenMMLab packages themselves are used
    """
    from mmengine.utils import digit_version
    lowest, limit = SUPPORTED[name]
    if not digit_version(lowest) <= digit_version(found) < digit_version(
            limit):
        raise ImportError(
            f'saip_mm needs {name}{wanted(name)} but found {name} {found}: '
            f'{remedy(name)}')


def check_dependencies() -> None:
    """Import mmengine, mmcv and mmpretrain in this order, check versions.

    Raises:
        ImportError: If one is missing or outside the supported range. Their
            own checks of each other (AssertionError) pass through.
    """
    # mmcv without operators is enough for pretraining
    warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeform')
    for name in SUPPORTED:
        try:
            library = import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # a need of the library itself
                raise
            raise ImportError(f'saip_mm needs {name}{wanted(name)}, which is '
                              f'not installed: {remedy(name)}') from error
        check_version(name, library.__version__)


def wanted(name: str) -> str:
    """Accepted versions of a library, as pip writes them."""
    lowest, limit = SUPPORTED[name]
    return f'>={lowest},<{limit}'


def remedy(name: str) -> str:
    """What to type to get an accepted version of a library."""
    return (f'pip install "onedl-{name}{wanted(name)}", or '
            f'"{name}{wanted(name)}" if the OpenMMLab packages themselves '
            'are used')
