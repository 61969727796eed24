import type { StoredAdapter } from '../../store/adapters.ts'
import { libraryUrl } from '../library-files.ts'
import { thumbnailFile } from '../pictures/picture-library.ts'

/** An adapter as pages see it. */
export interface AdapterView extends Omit<StoredAdapter, 'preview' | 'sha256' | 'file'> {
  /** Address of the file itself, in kohya's or peft's format as it came. */
  readonly url: string
  /** Address of a small picture. */
  readonly preview: string | null
}

export function adapterView({ preview, sha256: _sha256, file, ...adapter }: StoredAdapter): AdapterView {
  return { ...adapter, url: libraryUrl(file), preview: preview === null ? null : libraryUrl(thumbnailFile(preview)) }
}
