import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isTokenizerFolder, tokenizerBeside } from '../../../native-models/tokenizer/tokenizer-folder.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-beside-'))
  file = join(folder, 'model.safetensors')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('a file alone has no tokenizer beside it', async () => {
  expect(await tokenizerBeside(file, 'tokenizer')).toBeUndefined()
  expect(await isTokenizerFolder(folder)).toBe(false)
})

it('files beside it are the first encoder’s tokenizer', async () => {
  writeFileSync(join(folder, 'vocab.json'), '{}')
  expect(await tokenizerBeside(file, 'tokenizer')).toBe(folder)
  expect(await tokenizerBeside(file, 'tokenizer_2')).toBeUndefined()
})

it('a folder beside it is, and before the files', async () => {
  writeFileSync(join(folder, 'vocab.json'), '{}')
  for (const name of ['tokenizer', 'tokenizer_2'] as const) {
    mkdirSync(join(folder, name))
    // A folder of that name without a tokenizer in it is none.
    expect(await tokenizerBeside(file, name)).toBe(name === 'tokenizer' ? folder : undefined)
    writeFileSync(join(folder, name, 'tokenizer.json'), '{}')
    expect(await tokenizerBeside(file, name)).toBe(join(folder, name))
  }
})
