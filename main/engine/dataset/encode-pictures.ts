import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { HalfstepError } from '../errors.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { Bucketed } from './aspect-buckets.ts'
import type { CaptionedPicture } from './image-folder.ts'
import type { LatentCache } from './latent-cache.ts'
import { decodePicture, type PictureSize } from '../pictures/picture-file.ts'

/** Turns pictures [1, 3, h, w] in [0, 1] of one size into latents. */
export interface PictureEncoder {
  encode(picture: FloatTensor): Promise<FloatTensor>
  dispose(): Promise<void>
}

/**
 * The latent [1, c, h, w] of each picture of a bucket; an encoder is only opened for those that are not known yet, and closed again.
 * Throws `file.unreadable` when a picture is not the one any more that the folder was read with.
 */
export async function encodePictures(
  { size, pictures }: Bucketed<CaptionedPicture>,
  openEncoder: (size: PictureSize) => PictureEncoder,
  cache: LatentCache,
): Promise<FloatTensor[]> {
  let encoder: PictureEncoder | undefined
  const encode = async (picture: CaptionedPicture): Promise<FloatTensor> => {
    encoder ??= openEncoder(size)
    const latent = await encoder.encode(await decodePicture(await unchangedBytes(picture), size, picture.name))
    cache.set(picture.fingerprint, size, latent)
    return latent
  }
  try {
    const latents: FloatTensor[] = []
    for (const picture of pictures) latents.push(cache.get(picture.fingerprint, size) ?? (await encode(picture)))
    return latents
  } finally {
    await encoder?.dispose()
  }
}

async function unchangedBytes({ path, fingerprint }: CaptionedPicture): Promise<Uint8Array> {
  const bytes = await readFile(path).catch(() => undefined)
  if (bytes !== undefined && createHash('sha256').update(bytes).digest('hex') === fingerprint) return bytes
  const message = `${path} was changed or removed while the run was starting.`
  throw new HalfstepError('file.unreadable', message, 'Start the run again.', { file: path })
}
