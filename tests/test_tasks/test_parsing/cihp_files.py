"""A CIHP of a few noisy pictures, written to a folder."""
import numpy as np
from PIL import Image

FOLDERS = dict(train='Training', val='Validation')
# height and width, and x, y, w, h of the persons
PICTURES = {
    '0000006': ((48, 64), [(4, 4, 20, 40), (30, 8, 16, 36)]),
    '0000021': ((64, 48), [(5, 5, 20, 50)]),
    '0000045': ((40, 40), []),
    '0000046': ((48, 64), [(8, 8, 18, 30), (40, 6, 20, 40)]),
}


def draw_persons(size, boxes):
    """Maps of parts and persons: hair, clothes, left leg, right leg."""
    parts, humans = np.zeros((2, *size), dtype=np.uint8)
    for number, (x, y, w, h) in enumerate(boxes, 1):
        humans[y:y + h, x:x + w] = number
        parts[y:y + h // 3, x:x + w] = 2
        parts[y + h // 3:y + h // 2, x:x + w] = 5
        parts[y + h // 2:y + h, x:x + w // 2] = 17
        parts[y + h // 2:y + h, x + w // 2:x + w] = 16
    return parts, humans


def list_instances(parts, humans):
    """``instance category human`` by line, and the map of instances."""
    joined = np.where(parts > 0, 20 * (humans.astype(int) - 1) + parts, 0)
    lines = [f'{v} {v % 20} {v // 20 + 1}' for v in np.unique(joined) if v > 0]
    return '\n'.join(lines) + '\n', joined.astype(np.uint8)


def write_cihp(root, pictures=PICTURES, split='train', seed=0):
    """Write pictures, maps, instances and the list; return the folder."""
    folder = root / FOLDERS[split]
    kinds = ('Images', 'Category_ids', 'Human_ids', 'Instance_ids')
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for name, (size, boxes) in pictures.items():
        pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'Images/{name}.jpg')
        parts, humans = draw_persons(size, boxes)
        text, instances = list_instances(parts, humans)
        for kind, values in zip(kinds[1:], (parts, humans, instances)):
            Image.fromarray(values).save(folder / kind / f'{name}.png')
        (folder / f'Instance_ids/{name}.txt').write_text(text)
    (folder / f'{split}_id.txt').write_text('\n'.join(pictures) + '\n')
    return str(root)


def save_map(root, values, name='0000006', kind='Category_ids', split='train'):
    """Put another map in the place of one."""
    path = root / FOLDERS[split] / kind / f'{name}.png'
    Image.fromarray(np.asarray(values)).save(path)
