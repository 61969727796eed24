/**
 * The standard CLIP vocabulary: 49,408 byte-pair tokens that every Stable Diffusion text encoder was trained with.
 * Only its merges are stored (assets/clip-tokenizer); the tokens follow from them.
 */
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'

/** A byte-pair vocabulary: token → id, and the pairs that are merged, strongest first. */
export interface BpeVocabulary {
  readonly vocab: ReadonlyMap<string, number>
  readonly merges: readonly (readonly [string, string])[]
}

export const START_OF_TEXT = '<|startoftext|>'
export const END_OF_TEXT = '<|endoftext|>'

/** Number of tokens of the standard vocabulary. */
export const STANDARD_TOKENS = 49_408

/** Marks the last symbol of a word. */
export const END_OF_WORD = '</w>'

/** Number of positions of every published CLIP text encoder. */
export const CLIP_POSITIONS = 77

// Both from this folder and from the bundled engine (out/main/), assets/ lies two levels up.
const MERGES_FILE = new URL('../../assets/clip-tokenizer/merges.txt.gz', import.meta.url)

let standard: Promise<BpeVocabulary> | undefined

/** The standard vocabulary, read once. */
export function standardClipVocabulary(): Promise<BpeVocabulary> {
  standard ??= readFile(MERGES_FILE).then((packed) => deriveVocabulary(parseMerges(gunzipSync(packed).toString('utf8'))))
  return standard
}

/** The pairs of a merges.txt; an empty line or a `#version` heading holds none. */
export function parseMerges(text: string): [string, string][] {
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#version'))
    .map(pairOf)
}

/** `th e</w>` as its two symbols; a line without a space gives an empty second symbol, which no vocabulary holds. */
function pairOf(line: string): [string, string] {
  const space = line.indexOf(' ')
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)]
}

/** Ids in CLIP's order: the 256 byte symbols, the same ending a word, one token per merge, the two specials. */
function deriveVocabulary(merges: BpeVocabulary['merges']): BpeVocabulary {
  const bytes = byteSymbols()
  const tokens = [
    ...bytes,
    ...bytes.map((symbol) => symbol + END_OF_WORD),
    ...merges.map(([left, right]) => left + right),
    START_OF_TEXT,
    END_OF_TEXT,
  ]
  return { vocab: new Map(tokens.map((token, id) => [token, id])), merges }
}

/**
 * The characters that stand for the 256 bytes in byte-level BPE (GPT-2): printable Latin-1 bytes stand for themselves
 * and come first, the other 68 bytes take the code points from U+0100 on.
 */
function byteSymbols(): string[] {
  const printable = [...range(0x21, 0x7e), ...range(0xa1, 0xac), ...range(0xae, 0xff)]
  const others = range(0x100, 0x100 + 255 - printable.length)
  return [...printable, ...others].map((codePoint) => String.fromCodePoint(codePoint))
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
}
