import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Whether a folder holds a tokenizer: `vocab.json` (with merges.txt) or `tokenizer.json`. */
export async function isTokenizerFolder(folder: string): Promise<boolean> {
  const found = await Promise.all(['vocab.json', 'tokenizer.json'].map((name) => stat(join(folder, name)).catch(() => undefined)))
  return found.some((file) => file !== undefined)
}

/**
 * Where the tokenizer of a single-file model lies, which cannot hold one: in the folder `name` beside it, as in a diffusers model, or
 * (the first encoder's) as files beside it. Undefined where there is none, and CLIP's standard one is meant.
 */
export async function tokenizerBeside(file: string, name: 'tokenizer' | 'tokenizer_2'): Promise<string | undefined> {
  const beside = dirname(file)
  if (await isTokenizerFolder(join(beside, name))) return join(beside, name)
  return name === 'tokenizer' && (await isTokenizerFolder(beside)) ? beside : undefined
}
