/**
 * The starter model's own byte-pair vocabulary, in CLIP's format: few enough tokens for a text encoder of its size, and every
 * word of its captions, and of prompts about hands, is one of them. Any other text is spelt out in pieces.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { END_OF_TEXT, END_OF_WORD, START_OF_TEXT } from '../tokenizer/clip-vocabulary.ts'
import { COUNT_WORDS } from './world/caption.ts'
import { COLOURS, SKINS } from './world/colours.ts'
import { POSES, SIDES, STYLES, VIEWS } from './world/hand.ts'
import { PROMPT_WORDS } from './world/prompt-words.ts'

/** Positions of the text encoder, the start and end token included: the longest caption takes 28. */
export const STARTER_POSITIONS = 32

export interface StarterVocabulary {
  /** token → id: 256 byte symbols, the same ending a word, one token per merge, the two special tokens */
  readonly vocab: Record<string, number>
  /** `left right`, strongest first */
  readonly merges: string[]
}

/** Words that captions are made of. */
const CAPTION_WORDS = [
  'a hand fingers skin background sleeve outlined',
  ...[SIDES, VIEWS, POSES, STYLES, Object.keys(SKINS), Object.keys(COLOURS), Object.values(COUNT_WORDS)].map((words) => words.join(' ')),
]

/** The vocabulary; the same every time. */
export function buildVocabulary(): StarterVocabulary {
  const merges = learnMerges([...CAPTION_WORDS, ...PROMPT_WORDS])
  const bytes = byteSymbols()
  // Two merges may lead to the same token, which then keeps its first id.
  const tokens = new Set([
    ...bytes,
    ...bytes.map((symbol) => symbol + END_OF_WORD),
    ...merges.map(([left, right]) => left + right),
    START_OF_TEXT,
    END_OF_TEXT,
  ])
  return { vocab: Object.fromEntries([...tokens].map((token, id) => [token, id])), merges: merges.map((pair) => pair.join(' ')) }
}

/** Writes the vocabulary as the `tokenizer` folder of a model, for transformers' CLIPTokenizer. Makes the folder. */
export async function writeTokenizer(folder: string): Promise<void> {
  const { vocab, merges } = buildVocabulary()
  const roles = { bos_token: START_OF_TEXT, eos_token: END_OF_TEXT, pad_token: END_OF_TEXT, unk_token: END_OF_TEXT }
  const config = { add_prefix_space: false, do_lower_case: true, errors: 'replace', model_max_length: STARTER_POSITIONS }
  const files = {
    'vocab.json': JSON.stringify(vocab),
    'merges.txt': ['#version: 0.2', ...merges].join('\n'),
    'tokenizer_config.json': JSON.stringify({ ...roles, ...config, tokenizer_class: 'CLIPTokenizer' }, null, 2),
    'special_tokens_map.json': JSON.stringify(roles, null, 2),
  }
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), `${text}\n`, { flush: true })
}

type Pair = readonly [left: string, right: string]

/**
 * Byte-pair encoding (Sennrich et al. 2016): the pair of neighbouring symbols that comes most often in the texts is merged, over
 * and over, until every word is one symbol. Of pairs that come equally often the first in code-unit order is taken.
 * @param texts lower-case ASCII words between spaces
 */
function learnMerges(texts: readonly string[]): Pair[] {
  let words: readonly string[][] = texts.flatMap((text) => text.split(' ')).map(symbolsOf)
  const merges: Pair[] = []
  for (let pair = mostFrequentPair(words); pair !== undefined; pair = mostFrequentPair(words)) {
    const [left, right] = pair
    merges.push(pair)
    words = words.map((word) => merged(word, left, right))
  }
  return merges
}

/** Its letters, the last one with the end of the word on it. */
function symbolsOf(word: string): string[] {
  return Array.from(word, (letter, i) => (i === word.length - 1 ? letter + END_OF_WORD : letter))
}

/** Undefined when every word is one symbol. */
function mostFrequentPair(words: readonly (readonly string[])[]): Pair | undefined {
  const pairs = words.flatMap((word) => word.slice(1).map((right, i): Pair => [word[i]!, right]))
  const groups = Map.groupBy(pairs, (pair) => pair.join(' '))
  const [first] = [...groups].sort(([a, ofA], [b, ofB]) => ofB.length - ofA.length || (a < b ? -1 : 1))
  return first?.[1][0]
}

/** A word in which every `left right`, from its start on, has become one symbol. */
function merged(word: readonly string[], left: string, right: string): string[] {
  const symbols: string[] = []
  for (let i = 0; i < word.length; i++) {
    const together = word[i] === left && word[i + 1] === right
    symbols.push(together ? left + right : word[i]!)
    if (together) i++
  }
  return symbols
}

/** The characters that stand for the 256 bytes in byte-level BPE: printable Latin-1 as itself, the others from U+0100 on. */
function byteSymbols(): string[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte)
  const printable = bytes.filter((byte) => /[!-~¡-¬®-ÿ]/.test(String.fromCharCode(byte)))
  const others = bytes.slice(0, 256 - printable.length).map((offset) => 256 + offset)
  return [...printable, ...others].map((code) => String.fromCharCode(code))
}
