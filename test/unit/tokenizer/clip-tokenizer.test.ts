import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'

const golden = JSON.parse(readFileSync(new URL('../../golden/clip-tokenizer.json', import.meta.url), 'utf8')) as {
  text: string
  ids: number[]
}[]

/** The ids without padding and without the start token. */
function body(tokenizer: ClipTokenizer, text: string): number[] {
  const ids = tokenizer.encode(text).slice(1)
  return ids.slice(0, ids.indexOf(tokenizer.eosId))
}

describe('the standard CLIP tokenizer', () => {
  let tokenizer: ClipTokenizer
  beforeAll(async () => {
    tokenizer = await ClipTokenizer.standard()
  })

  it.each(golden)('gives the reference ids for $text', ({ text, ids }) => {
    expect(tokenizer.encode(text)).toEqual(ids)
  })

  it('has 49,408 tokens and CLIP’s special ids', () => {
    expect(tokenizer.vocabularySize).toBe(49408)
    expect([tokenizer.bosId, tokenizer.eosId, tokenizer.padId]).toEqual([49406, 49407, 49407])
  })

  // Expected ids below: CLIPTokenizer of transformers 5.23.
  it('lower-cases a final Σ to σ, as the reference does', () => {
    expect(body(tokenizer, 'ΟΔΟΣ')).toEqual([138, 123, 138, 112, 138, 123, 139, 481])
  })

  it('does not take U+FEFF for white space', () => {
    expect(body(tokenizer, '\ufeff.')).toEqual([171, 119, 123, 269])
    expect(body(tokenizer, 'zork!\ufeffthe')).toEqual([17605, 330, 0, 171, 119, 379, 518])
  })

  it('takes U+0085 and U+3000 for white space', () => {
    expect(body(tokenizer, 'hand\u0085hand\u3000hand')).toEqual([2463, 2463, 2463])
  })

  it('gives composed and decomposed letters the same ids', () => {
    expect(tokenizer.encode('cafe\u0301')).toEqual(tokenizer.encode('café'))
  })

  it('cuts a long text so that the end token stays', () => {
    const ids = tokenizer.encode('hand '.repeat(200))
    expect(ids).toHaveLength(77)
    expect(ids.at(-1)).toBe(49407)
    expect(tokenizer.tokenIds('hand '.repeat(200))).toHaveLength(200)
  })

  it('gives 77 known ids for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const ids = tokenizer.encode(text)
        expect(ids).toHaveLength(77)
        expect(ids[0]).toBe(49406)
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < 49408)).toBe(true)
      }),
    )
  })

  it('decodes to text that reads well', () => {
    expect(tokenizer.decode(tokenizer.encode("A hand, it's OK! 日本 café"))).toBe("a hand, it's ok! 日本 café")
    expect(tokenizer.decode(tokenizer.encode(''))).toBe('')
    expect(tokenizer.decode([])).toBe('')
  })

  it('encodes what it decoded to the same ids', () => {
    const word = fc.stringMatching(/^[a-z0-9,.!?-]{1,12}$/)
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const ids = tokenizer.tokenIds(words.join(' '))
        expect(tokenizer.tokenIds(tokenizer.decode(tokenizer.tokenIds(tokenizer.decode(ids))))).toEqual(
          tokenizer.tokenIds(tokenizer.decode(ids)),
        )
      }),
    )
  })
})

describe('the standard CLIP tokenizer padded with “!”', () => {
  it('pads with id 0 and reads “!” in a text as the padding token, as the reference does', async () => {
    const tokenizer = await ClipTokenizer.standard({ padToken: '!' })
    expect(tokenizer.padId).toBe(0)
    expect(tokenizer.encode('hands!!').slice(0, 6)).toEqual([49406, 3500, 0, 0, 49407, 0])
  })
})
