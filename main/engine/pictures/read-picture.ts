import { readFile } from 'node:fs/promises'
import { wordsForDiskFault } from '../disk-fault.ts'
import { HalfstepError } from '../errors.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { decodePicture, inspectPicture } from './picture-file.ts'

/**
 * A picture file in its own size as [1, 3, h, w], RGB in [0, 1]: upright, in sRGB, on white where it is transparent.
 * Throws `file.unreadable` or `picture.malformed`, naming the file.
 */
export async function readPicture(path: string): Promise<FloatTensor> {
  const bytes = await readPictureBytes(path)
  return decodePicture(bytes, await inspectPicture(bytes, path), path)
}

/** The bytes of a picture file. Throws `file.unreadable`. */
export async function readPictureBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    const cause = wordsForDiskFault(error)
    throw new HalfstepError('file.unreadable', `The picture ${path} cannot be read: ${cause}.`, 'Check the path, or leave it out.', {
      file: path,
    })
  })
}
