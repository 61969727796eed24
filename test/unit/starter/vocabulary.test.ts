import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { captionOf } from '../../../native-models/starter/world/caption.ts'
import { FINGER_COUNTS, randomHand } from '../../../native-models/starter/world/hand.ts'
import { STARTER_POSITIONS, buildVocabulary, writeTokenizer } from '../../../native-models/starter/vocabulary.ts'
import { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'
import { standardClipVocabulary } from '../../../native-models/tokenizer/clip-vocabulary.ts'

/** Ids by transformers' CLIPTokenizer (test/golden/check_starter_tokenizer.py). */
const golden = JSON.parse(readFileSync(new URL('../../golden/starter-tokenizer.json', import.meta.url), 'utf8')) as {
  text: string
  ids: number[]
}[]

let folder: string
let tokenizer: ClipTokenizer
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-vocabulary-'))
  await writeTokenizer(folder)
  tokenizer = await ClipTokenizer.fromFolder(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Captions of every kind of hand. */
function captions(): string[] {
  let state = 1
  const next = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  return Array.from({ length: 2000 }, (_, i) => captionOf(randomHand(next), FINGER_COUNTS[i % FINGER_COUNTS.length]!, next))
}

const words = (text: string): string[] => text.match(/[a-z]+|,/g) ?? []

describe('the vocabulary of the starter model', () => {
  it('has at most 1,000 tokens, numbered without gaps, the special ones last', () => {
    const { vocab } = buildVocabulary()
    const tokens = Object.entries(vocab).sort(([, a], [, b]) => a - b)
    expect(tokens.length).toBeLessThanOrEqual(1000)
    expect(tokens.map(([, id]) => id)).toEqual([...tokens.keys()])
    expect(tokens.slice(-2).map(([token]) => token)).toEqual(['<|startoftext|>', '<|endoftext|>'])
  })

  it('begins with the byte symbols of CLIP', async () => {
    const standard = [...(await standardClipVocabulary()).vocab.keys()].slice(0, 512)
    const { vocab } = buildVocabulary()
    expect(standard.map((token) => vocab[token])).toEqual([...standard.keys()])
  })

  it('is the same every time', () => {
    expect(buildVocabulary()).toEqual(buildVocabulary())
  })

  it('has one token for every word of a caption', () => {
    for (const caption of captions()) expect(tokenizer.tokenIds(caption)).toHaveLength(words(caption).length)
  })

  it('has room for every caption in the positions of the text encoder', () => {
    const longest = Math.max(...captions().map((caption) => tokenizer.tokenIds(caption).length))
    expect(longest).toBeLessThanOrEqual(STARTER_POSITIONS - 2)
  })

  it('has one token for the plain words of prompts about hands', () => {
    const prompt = 'a clean simple drawing of a hand with exactly five separate fingers and the thumb, no extra, missing, not blurry'
    expect(tokenizer.tokenIds(prompt)).toHaveLength(words(prompt).length)
  })

  it.each(golden)('gives the ids of transformers for $text', ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids)
  })

  it('gives 32 known ids for any text, and reads the text back', () => {
    const { vocab } = buildVocabulary()
    const count = Object.keys(vocab).length
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const ids = tokenizer.encode(text)
        expect(ids).toHaveLength(STARTER_POSITIONS)
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < count)).toBe(true)
      }),
    )
    expect(tokenizer.decode(tokenizer.encode('A left HAND, palm open'))).toBe('a left hand, palm open')
  })
})
