import os
import re
import shutil
from pathlib import Path
from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM_FILES = ('configs', 'tools', 'model-index.yml')


class BuildWithMim(build_py):
    """Put configs, tools and the model index at ``saip_mm/.mim``.

    OpenMMLab's MIM and ``ModelHub`` look for them there. An editable build
    links to the checkout, so edits count at once; any other build copies.
    Overriding ``build_py`` works for pip, build and setup.py alike, without
    looking at the command line.
    """

    def run(self) -> None:
        super().run()
        editable = getattr(self, 'editable_mode', False)
        package = ROOT if editable else Path(self.build_lib).resolve()
        folder = package / 'saip_mm' / '.mim'
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        for name in MIM_FILES:
            if editable:
                link(ROOT / name, folder / name)
            else:
                copy(ROOT / name, folder / name)


def link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(os.path.relpath(source, target.parent))
    except OSError:  # Windows without the right to make links
        copy(source, target)


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns('__pycache__'))
    else:
        shutil.copy2(source, target)


def version() -> str:
    text = (ROOT / 'saip_mm' / 'version.py').read_text()
    return re.search(r"^__version__ = '(.+)'$", text, re.M).group(1)


setup(version=version(), cmdclass=dict(build_py=BuildWithMim))
