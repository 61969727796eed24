import { HalfstepError } from '../errors.ts'
import { decodePicture, inspectPicture } from '../pictures/picture-file.ts'
import { readPictureBytes } from '../pictures/read-picture.ts'
import { JUDGED_SIZE } from './judge-picture.ts'

/** A finger needs a few pixels; smaller pictures have none to spare. */
const SMALLEST = 48

/**
 * A picture file in the judge's size, RGB [3, 64, 64] in [0, 1]; of one that is not square, the middle.
 * Throws `file.unreadable` or `picture.malformed`, naming the file.
 */
export async function readJudged(path: string): Promise<Float32Array> {
  const bytes = await readPictureBytes(path)
  const { width, height } = await inspectPicture(bytes, path)
  if (Math.min(width, height) < SMALLEST) {
    const message = `${path} is ${width} × ${height} pixels, and fingers cannot be told apart in less than ${SMALLEST} × ${SMALLEST}.`
    throw new HalfstepError('picture.malformed', message, 'Choose a larger picture.', { file: path })
  }
  const { data } = await decodePicture(bytes, { width: JUDGED_SIZE, height: JUDGED_SIZE }, path)
  return data
}
