import type { GenerationWithPicture } from '../../store/generations.ts'
import { libraryUrl } from '../library-files.ts'
import { thumbnailFile } from '../pictures/picture-library.ts'

/** A picture of the studio as pages see it. */
export interface GenerationView extends Omit<GenerationWithPicture, 'file' | 'picture' | 'source' | 'sourceFile'> {
  readonly url: string
  readonly thumbnail: string
  /** Of the picture that this one is a repair of; null for what was made from nothing. */
  readonly source: { readonly url: string; readonly thumbnail: string } | null
}

export function viewOf({ file, picture, source, sourceFile, ...generation }: GenerationWithPicture): GenerationView {
  return {
    ...generation,
    url: libraryUrl(file),
    thumbnail: libraryUrl(thumbnailFile(picture)),
    source: source === null || sourceFile === null ? null : { url: libraryUrl(sourceFile), thumbnail: libraryUrl(thumbnailFile(source)) },
  }
}
