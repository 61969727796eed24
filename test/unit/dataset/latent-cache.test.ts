import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodePictures, type PictureEncoder } from '../../../main/engine/dataset/encode-pictures.ts'
import { readImageFolder } from '../../../main/engine/dataset/image-folder.ts'
import { LatentCache } from '../../../main/engine/dataset/latent-cache.ts'
import type { PictureSize } from '../../../main/engine/pictures/picture-file.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { nodeFileSystem } from '../../../main/engine/training/file-system.ts'
import { temporaryFolder } from '../training/toy-run.ts'
import { plain } from './pictures.ts'

const SIZE: PictureSize = { width: 8, height: 4 }
const latent = float32([1, 1, 1, 2], [0.5, -3])

async function savedCache(): Promise<string> {
  const path = join(await temporaryFolder(), 'latents.safetensors')
  const cache = await LatentCache.open(path, nodeFileSystem)
  cache.set('abc', SIZE, latent)
  await cache.save()
  return path
}

describe('a cache of latents', () => {
  it('gives back what was saved, for the same picture in the same size only', async () => {
    const cache = await LatentCache.open(await savedCache(), nodeFileSystem)
    expect(cache.get('abc', SIZE)).toEqual(latent)
    expect(cache.get('abc', { width: 4, height: 8 })).toBeUndefined()
    expect(cache.get('abd', SIZE)).toBeUndefined()
  })

  it('is empty when its file is cut off or altered', async () => {
    const path = await savedCache()
    const bytes = await readFile(path)
    const altered = Buffer.from(bytes)
    altered[bytes.length - 1]! ^= 1
    for (const spoilt of [bytes.subarray(0, -1), altered, Buffer.from('junk')]) {
      await writeFile(path, spoilt)
      expect((await LatentCache.open(path, nodeFileSystem)).get('abc', SIZE)).toBeUndefined()
    }
  })

  it('does without a disk that it can write to', async () => {
    const cache = await LatentCache.open(join(await temporaryFolder(), 'no', 'such', 'folder'), nodeFileSystem)
    cache.set('abc', SIZE, latent)
    await cache.save()
    expect(cache.get('abc', SIZE)).toEqual(latent)
  })
})

describe('encoding pictures', () => {
  const watched = () => {
    const log: string[] = []
    const openEncoder = ({ width, height }: PictureSize): PictureEncoder => {
      log.push(`open ${width}×${height}`)
      return {
        encode: (picture) => {
          log.push(`encode ${picture.shape.join()}`)
          return Promise.resolve(float32([1, 1, 1, 1], [picture.data[0]!]))
        },
        dispose: async () => void log.push('close'),
      }
    }
    return { log, openEncoder }
  }

  it('opens one encoder for what is not known yet, and none when all is', async () => {
    const folder = await temporaryFolder()
    for (const [i, name] of ['a.png', 'b.png'].entries()) await plain(8, 4, { r: 51 * i, g: 0, b: 0 }).toFile(join(folder, name))
    const { pictures } = await readImageFolder(folder)
    const cache = await LatentCache.open(join(folder, 'latents.safetensors'), nodeFileSystem)
    const { log, openEncoder } = watched()
    const first = await encodePictures({ size: SIZE, pictures }, openEncoder, cache)
    expect(first.map(({ data }) => data[0])).toEqual([0, Math.fround(0.2)])
    expect(log).toEqual(['open 8×4', 'encode 1,3,4,8', 'encode 1,3,4,8', 'close'])
    expect(await encodePictures({ size: SIZE, pictures }, openEncoder, cache)).toEqual(first)
    expect(log).toHaveLength(4)
  })

  it('refuses a picture that was changed since the folder was read', async () => {
    const folder = await temporaryFolder()
    await plain(8, 4, { r: 0, g: 0, b: 0 }).toFile(join(folder, 'a.png'))
    const { pictures } = await readImageFolder(folder)
    await plain(8, 4, { r: 9, g: 0, b: 0 }).toFile(join(folder, 'a.png'))
    const cache = await LatentCache.open(join(folder, 'latents.safetensors'), nodeFileSystem)
    const { log, openEncoder } = watched()
    await expect(encodePictures({ size: SIZE, pictures }, openEncoder, cache)).rejects.toMatchObject({ code: 'file.unreadable' })
    expect(log.at(-1)).toBe('close')
  })
})
