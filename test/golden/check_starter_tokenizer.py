"""Compares Halfstep's tokenizer with transformers' CLIPTokenizer on the starter model's vocabulary.

    python check_starter_tokenizer.py                    # the vocabulary as native-models/starter/vocabulary.ts makes it
    python check_starter_tokenizer.py --record           # and write starter-tokenizer.json, which the unit tests read

Captions and prompts drawn at random, and odd input. Development only.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from transformers import CLIPTokenizer

HERE = Path(__file__).parent
CAPTIONS = 460
RECORDED = 8

ODD = [
    '', ' ', 'HAND', "a hand's fingers", '5 fingers', 'six-fingered hand', 'hand,hand', 'hand ,  hand', 'hand\n\thand', 'exactly 5 (five) fingers!!!',
    'café', 'cafe\u0301', 'Ωμέγα ΟΔΟΣ', '手', '五本の指', '👋🏽', 'ﬁngers', 'naïve façade', '<|endoftext|>', 'a hand <|startoftext|> five', '½ hand', '² ³',
    'hand\u00a0hand', 'hand\u3000hand', 'zebra', 'internationalization', '"quoted" & <b>html</b>', "don't we'll I've it's", 'a_b-c.d/e', '…—“”', 'ÅÄÖß',
    'hand' * 40, 'five ' * 40, '12345', "'s", '!?', 'Ǆ', '\u0130stanbul', 'a\u200bb', 'fingerfingers', 'handhands thumbthumb',
]

NODE = """
import { readFileSync } from 'node:fs'
import { writeTokenizer } from './native-models/starter/vocabulary.ts'
import { ClipTokenizer } from './native-models/tokenizer/clip-tokenizer.ts'
import { captionOf } from './native-models/starter/world/caption.ts'
import { FINGER_COUNTS, randomHand } from './native-models/starter/world/hand.ts'
const { folder, count, numbers, odd } = JSON.parse(readFileSync(0, 'utf8'))
await writeTokenizer(folder)
const tokenizer = await ClipTokenizer.fromFolder(folder)
let at = 0
const next = () => numbers[at++ % numbers.length]
const captions = Array.from({ length: count }, (_, i) => captionOf(randomHand(next), FINGER_COUNTS[i % FINGER_COUNTS.length], next))
const texts = [...captions, ...odd]
process.stdout.write(JSON.stringify(texts.map((text) => ({ text, ids: tokenizer.encode(text) }))))
"""


def ours(folder: str) -> list[dict]:
    numbers = random.Random(3)
    request = {'folder': folder, 'count': CAPTIONS, 'numbers': [numbers.random() for _ in range(99_991)], 'odd': ODD}
    command = ['node', '--input-type=module-typescript', '-e', NODE]
    result = subprocess.run(command, cwd=HERE.parent.parent, input=json.dumps(request), capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--record', action='store_true')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = ours(folder)
        tokenizer = CLIPTokenizer.from_pretrained(folder)
    theirs = [tokenizer(case['text'], padding='max_length', truncation=True).input_ids for case in cases]
    different = [(case['text'], case['ids'], ids) for case, ids in zip(cases, theirs) if case['ids'] != ids]
    for text, mine, reference in different:
        print(f'{text!r}:\n  halfstep     {mine}\n  transformers {reference}')
    print(f'{len(cases)} texts, {len(different)} of them different; {len(tokenizer)} tokens, at most {tokenizer.model_max_length} per text')
    if options.record:
        chosen = [*range(RECORDED), *range(CAPTIONS, len(cases))]
        lines = [json.dumps({'text': cases[i]['text'], 'ids': theirs[i]}, ensure_ascii=False) for i in chosen]
        (HERE / 'starter-tokenizer.json').write_text('[\n  ' + ',\n  '.join(lines) + '\n]\n', encoding='utf-8')
    return 1 if different else 0


if __name__ == '__main__':
    sys.exit(main())
