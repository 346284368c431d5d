"""Describe a person, get the nearest pictures, as a sheet and in lines.

    python tools/search_by_text.py CONFIG CHECKPOINT --out answers.png
    python tools/search_by_text.py CONFIG CHECKPOINT \
        --text 'a man in a red coat' 'a woman with a blue bag' --folder DIR

Without --text captions of the test split are drawn: right answers get a green
frame, wrong ones a red one.
"""
import argparse
import logging

from mmengine.config import DictAction

from saip_mm.engine.user_errors import errors_in_a_line


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='one of configs/text_reid')
    parser.add_argument('checkpoint', nargs='?', help='of that config')
    parser.add_argument('--text', nargs='+', default=(), help='sentences')
    parser.add_argument(
        '--folder', help='pictures to search; default: the test split')
    parser.add_argument(
        '--out', default='answers.png', help='PNG (default: answers.png)')
    parser.add_argument(
        '--num', type=int, default=6, help='captions drawn, without --text')
    parser.add_argument(
        '--top', type=int, default=10, help='pictures a sentence')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main():
    args = parse_args()
    logging.getLogger().setLevel(logging.WARNING)
    with errors_in_a_line():
        from saip_mm.tasks.text_reid.person_finder import find_persons
        answers = find_persons(args.config, args.checkpoint, args.out,
                               args.text, args.folder, args.num, args.top,
                               args.seed, args.cfg_options)
    for answer in answers:
        print(answer.text)
        for place, path in enumerate(answer.paths):
            mark = ''
            if answer.right is not None:
                mark = '  right' if answer.right[place] else '  wrong'
            print(f'  {answer.similarities[place]:.3f}  {path}{mark}')
    print(args.out)


if __name__ == '__main__':
    main()
