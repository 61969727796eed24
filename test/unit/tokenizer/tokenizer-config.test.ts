import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'

const micro = fileURLToPath(new URL('../../golden/sd15-micro/tokenizer', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-tokenizer-'))
  cpSync(micro, folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
}

function vocabulary(): Record<string, number> {
  return JSON.parse(readFileSync(join(folder, 'vocab.json'), 'utf8')) as Record<string, number>
}

/** Moves vocab.json and merges.txt into a tokenizer.json. */
function asTokenizerJson(pair: (line: string) => unknown, added: unknown[] = []): void {
  const merges = readFileSync(join(folder, 'merges.txt'), 'utf8').trim().split('\n').slice(1).map(pair)
  write('tokenizer.json', { model: { type: 'BPE', vocab: vocabulary(), merges }, added_tokens: added })
  rmSync(join(folder, 'vocab.json'))
  rmSync(join(folder, 'merges.txt'))
}

const open = () => ClipTokenizer.fromFolder(folder)

describe('a tokenizer folder', () => {
  it('is read with its own vocabulary and special tokens', async () => {
    const tokenizer = await open()
    const vocab = vocabulary()
    expect(tokenizer.modelMaxLength).toBe(77)
    expect(tokenizer.bosId).toBe(vocab['<|startoftext|>'])
    expect(tokenizer.padId).toBe(vocab['<|endoftext|>'])
    expect(tokenizer.tokenIds('the')).toEqual([vocab['the</w>']])
  })

  it.each([
    ['strings', (line: string): unknown => line],
    ['pairs', (line: string): unknown => line.split(' ')],
  ])('gives the same ids from a tokenizer.json with merges as %s', async (_, pair) => {
    const text = 'the hand, in the light of 2 suns'
    const before = (await open()).encode(text)
    asTokenizerJson(pair)
    expect((await open()).encode(text)).toEqual(before)
  })

  it('takes CLIP’s special tokens and 77 positions without a tokenizer_config.json', async () => {
    rmSync(join(folder, 'tokenizer_config.json'))
    const tokenizer = await open()
    expect(tokenizer.encode('')).toEqual([tokenizer.bosId, ...new Array<number>(76).fill(tokenizer.eosId)])
  })

  it('takes 77 positions where the file stores “no limit”', async () => {
    write('tokenizer_config.json', { model_max_length: 1e30 })
    expect((await open()).modelMaxLength).toBe(77)
  })

  it('obeys model_max_length', async () => {
    write('tokenizer_config.json', { model_max_length: 16 })
    expect((await open()).encode('a '.repeat(40))).toHaveLength(16)
  })

  it('lets special_tokens_map.json override the padding token', async () => {
    write('special_tokens_map.json', { pad_token: { content: '!', normalized: false, lstrip: false } })
    expect((await open()).padId).toBe(vocabulary()['!'])
  })

  it('does not read special_tokens_map.json when the configuration declares its added tokens', async () => {
    write('tokenizer_config.json', {
      pad_token: '<|endoftext|>',
      added_tokens_decoder: { '7': { content: '<|extra|>', special: false, normalized: false } },
    })
    write('special_tokens_map.json', { pad_token: '!' })
    const tokenizer = await open()
    expect(tokenizer.padId).toBe(vocabulary()['<|endoftext|>'])
    expect(tokenizer.tokenIds('<|extra|>')).toEqual([7])
  })

  it('finds an added token anywhere in the text and counts it', async () => {
    const id = Object.keys(vocabulary()).length
    write('added_tokens.json', { '<cat-toy>': id })
    const tokenizer = await open()
    expect(tokenizer.tokenIds('a<CAT-toy>a')).toContain(id)
    expect(tokenizer.vocabularySize).toBe(id + 1)
  })

  it('matches a normalised special token in capitals, and a plain one only as written', async () => {
    const plain = await open()
    expect(plain.tokenIds('x <|ENDOFTEXT|> x')).not.toContain(plain.eosId)
    write('tokenizer_config.json', {
      bos_token: '<|startoftext|>',
      eos_token: { __type: 'AddedToken', content: '<|endoftext|>', normalized: true },
      unk_token: { __type: 'AddedToken', content: '<|endoftext|>', normalized: true },
      pad_token: '!',
    })
    expect((await open()).tokenIds('x <|ENDOFTEXT|> x')).toContain(plain.eosId)
  })
})

describe('a malformed tokenizer folder', () => {
  const cases: [name: string, damage: () => void, cause: RegExp][] = [
    ['without any vocabulary', () => rmSync(join(folder, 'vocab.json')), /neither vocab\.json nor tokenizer\.json/],
    ['without merges', () => rmSync(join(folder, 'merges.txt')), /but not merges\.txt/],
    ['with a vocabulary cut short', () => write('vocab.json', '{"a": 1,'), /vocab\.json .*not valid JSON/],
    ['with an id that is no number', () => write('vocab.json', { a: 'one' }), /vocab\.json .*a is not what/],
    ['with a negative id', () => write('vocab.json', { a: -1 }), /vocab\.json .*a is not what/],
    ['with a merge that leads to no token', () => write('merges.txt', 'q zzz'), /merges\.txt .*"q zzz" needs the token/],
    ['with a merge of one symbol', () => write('merges.txt', 'th'), /merges\.txt .*needs the token ""/],
    ['with an unknown padding token', () => write('tokenizer_config.json', { pad_token: '[PAD]' }), /pad_token "\[PAD\]"/],
    ['with a length that leaves no room for a word', () => write('tokenizer_config.json', { model_max_length: 2 }), /model_max_length/],
    ['with a folder in place of a file', () => mkdirSync(join(folder, 'special_tokens_map.json')), /cannot be read/],
  ]

  it.each(cases)('%s is refused, naming file and cause', async (_, damage, cause) => {
    damage()
    await expect(open()).rejects.toMatchObject({ code: 'tokenizer.malformed', message: expect.stringMatching(cause) as string })
    await expect(open()).rejects.toThrow(folder)
  })
})
