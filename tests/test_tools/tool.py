"""Running a command line of tools/dataset_converters in this process."""
import runpy
import sys
from pathlib import Path
from unittest.mock import patch

TOOLS = Path(__file__).resolve().parents[2] / 'tools' / 'dataset_converters'


def run_tool(name, *arguments):
    """Run a tool; what it refuses is a SystemExit."""
    with patch.object(sys, 'argv', [name, *map(str, arguments)]):
        runpy.run_path(str(TOOLS / name), run_name='__main__')
