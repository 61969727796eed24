import { HalfstepError } from '../../main/engine/errors.ts'
import { readAt, withFile } from './file-bytes.ts'

/** No config, index or vocabulary of a real model comes near this; reading more would only cost memory. */
const MAX_JSON_BYTES = 64 * 1024 * 1024

/** Reads a JSON file. Throws `file.missing`, `file.unreadable` or `config.malformed`. */
export async function readJson(file: string): Promise<unknown> {
  const text = await withFile(file, async (handle, bytes) => {
    if (bytes > MAX_JSON_BYTES) throw malformed(file, 'is too large to be a JSON file of a model')
    return new TextDecoder().decode(await readAt(handle, file, 0, bytes))
  })
  try {
    return JSON.parse(text)
  } catch {
    throw malformed(file, 'is not valid JSON')
  }
}

function malformed(file: string, cause: string): HalfstepError {
  return new HalfstepError('config.malformed', `${file} ${cause}.`, 'Download the file again.', { file })
}
