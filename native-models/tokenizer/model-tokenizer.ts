import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts'
import { ClipTokenizer } from './clip-tokenizer.ts'
import { isTokenizerFolder } from './tokenizer-folder.ts'

/** What names CLIP's standard tokenizer in place of a path. */
export const STANDARD = 'clip'

/**
 * The tokenizer of a text encoder: the one in the model's folder or beside its file, else the standard one. SD 2.x and SDXL's second
 * text encoder were trained with `!` (id 0) as padding. Throws `tokenizer.malformed`.
 */
export function tokenizerOf(checkpoint: Checkpoint, encoder: 'textEncoder' | 'textEncoder2' = 'textEncoder'): Promise<ClipTokenizer> {
  const folder = encoder === 'textEncoder' ? checkpoint.tokenizerFolder : checkpoint.tokenizer2Folder
  if (folder !== undefined) return ClipTokenizer.fromFolder(folder)
  const padsWithZero = checkpoint.family === 'sd2' || encoder === 'textEncoder2'
  return ClipTokenizer.standard(padsWithZero ? { padToken: '!' } : {})
}

/**
 * The tokenizer of what a person points at: `clip`, a tokenizer's own folder, or a model (folder or single file).
 * Throws `tokenizer.malformed`, or what opening the model throws.
 */
export async function findTokenizer(source: string): Promise<ClipTokenizer> {
  if (source === STANDARD) return ClipTokenizer.standard()
  if (await isTokenizerFolder(source)) return ClipTokenizer.fromFolder(source)
  return tokenizerOf(await openCheckpoint(source))
}
