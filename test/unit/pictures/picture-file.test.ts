import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { decodePicture, inspectPicture } from '../../../main/engine/pictures/picture-file.ts'
import { gradientBytes, gradientPicture, noisy, plain } from '../dataset/pictures.ts'

const COLOUR = { r: 200, g: 100, b: 50 }

/** RGB of the pixel at a place, 0 … 255. */
async function pixelAt(bytes: Uint8Array, width: number, height: number, x: number, y: number): Promise<number[]> {
  const { data } = await decodePicture(bytes, { width, height }, 'a picture')
  return [0, 1, 2].map((channel) => Math.round(255 * data[channel * width * height + y * width + x]!))
}

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  const distances = actual.map((value, i) => Math.abs(value - expected[i]!))
  expect(Math.max(...distances), `${actual.join()} against ${expected.join()}`).toBeLessThanOrEqual(tolerance)
}

describe('a decoded picture', () => {
  it('has the numbers of the file in planes, from 0 to 1', async () => {
    const bytes = await gradientPicture(4, 3).png().toBuffer()
    const { shape, data } = await decodePicture(bytes, { width: 4, height: 3 }, 'a.png')
    expect(shape).toEqual([1, 3, 3, 4])
    const interleaved = gradientBytes(4, 3)
    expect([...data]).toEqual(Array.from({ length: 36 }, (_, i) => Math.fround(interleaved[(i % 12) * 3 + Math.floor(i / 12)]! / 255)))
  })

  // Where the upper left corner of the upright picture lies in the file, as (x, y) of 0 or 1; EXIF 2.3, tag 274.
  const corners: readonly (readonly [number, number, number])[] = [
    [1, 0, 0], [2, 1, 0], [3, 1, 1], [4, 0, 1], [5, 0, 0], [6, 0, 1], [7, 1, 1], [8, 1, 0],
  ]
  it.each(corners)('stands upright with EXIF orientation %i', async (orientation, x, y) => {
    const bytes = await gradientPicture(16, 8).withMetadata({ orientation }).png().toBuffer()
    const turned = orientation > 4
    const [width, height] = turned ? [8, 16] : [16, 8]
    expect(await inspectPicture(bytes, 'a.png')).toEqual({ width, height })
    expect(await pixelAt(bytes, width, height, 0, 0)).toEqual([255 * x, 255 * y, 60])
    // Walking right in the upright picture walks along the file's rows, or its columns when it is turned.
    const right = turned ? [255 * x, 255 * (1 - y), 60] : [255 * (1 - x), 255 * y, 60]
    expect(await pixelAt(bytes, width, height, width - 1, 0)).toEqual(right)
  })

  it('is scaled alike on both sides and loses what is over evenly', async () => {
    const isWhite = (x: number): boolean => x >= 100 && x < 200
    const numbers = Uint8Array.from({ length: 3 * 300 * 100 }, (_, i) => (isWhite(Math.floor(i / 3) % 300) ? 255 : 0))
    const stripes = await sharp(numbers, { raw: { width: 300, height: 100, channels: 3 } }).png().toBuffer()
    const { data } = await decodePicture(stripes, { width: 50, height: 50 }, 'a.png')
    // The middle third, but for the two edges where the scaling filter sees the neighbours.
    const inner = Array.from({ length: 50 * 50 }, (_, i) => i).filter((i) => i % 50 > 3 && i % 50 < 46)
    expect(inner.every((i) => data[i]! > 0.98)).toBe(true)
  })

  it('of 16 bits has the same colours', async () => {
    const numbers = Uint16Array.from({ length: 8 * 8 * 3 }, (_, i) => 257 * [200, 100, 50][i % 3]!)
    const bytes = await sharp(numbers, { raw: { width: 8, height: 8, channels: 3 } }).toColourspace('rgb16').png().toBuffer()
    expect((await sharp(bytes).metadata()).depth).toBe('ushort')
    expectNear(await pixelAt(bytes, 8, 8, 3, 3), [200, 100, 50], 1)
  })

  it('of grey in 8 and 16 bits has three equal channels', async () => {
    const raw = { width: 8, height: 8, channels: 1 } as const
    const grey = await sharp(new Uint8Array(64).fill(77), { raw }).toColourspace('b-w').png().toBuffer()
    const grey16 = await sharp(new Uint16Array(64).fill(257 * 77), { raw }).toColourspace('grey16').png().toBuffer()
    expect(await pixelAt(grey, 8, 8, 0, 0)).toEqual([77, 77, 77])
    expectNear(await pixelAt(grey16, 8, 8, 0, 0), [77, 77, 77], 1)
  })

  it('of CMYK has about the same colours', async () => {
    const bytes = await plain(8, 8, COLOUR).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer()
    expect((await sharp(bytes).metadata()).space).toBe('cmyk')
    // The printing inks cannot show all of it.
    expectNear(await pixelAt(bytes, 8, 8, 4, 4), [200, 100, 50], 40)
  })

  it('with a profile of another colour space is converted to sRGB', async () => {
    const bytes = await plain(8, 8, COLOUR).withIccProfile('p3').png().toBuffer()
    const stored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer()
    expect(Math.abs(stored[0]! - 200)).toBeGreaterThan(5)
    expectNear(await pixelAt(bytes, 8, 8, 4, 4), [200, 100, 50], 1)
  })

  it.each(['png', 'webp'] as const)('with transparency shows white behind it (%s)', async (format) => {
    const bytes = await plain(8, 8, { ...COLOUR, alpha: 0.5 }).toFormat(format, { lossless: true }).toBuffer()
    expectNear(await pixelAt(bytes, 8, 8, 4, 4), [228, 178, 153], 1)
  })

  it('with a palette and transparency shows white behind it', async () => {
    const bytes = await plain(8, 8, { ...COLOUR, alpha: 0 }).png({ palette: true }).toBuffer()
    expect(await pixelAt(bytes, 8, 8, 4, 4)).toEqual([255, 255, 255])
  })

  it('of one pixel is that colour all over', async () => {
    const bytes = await plain(1, 1, COLOUR).png().toBuffer()
    expect(await inspectPicture(bytes, 'a.png')).toEqual({ width: 1, height: 1 })
    const { data } = await decodePicture(bytes, { width: 16, height: 8 }, 'a.png')
    expect(new Set(data)).toEqual(new Set([200, 100, 50].map((value) => Math.fround(value / 255))))
  })

  it('one pixel wide and very long can be cut to a square', async () => {
    const bytes = await plain(1, 5000, COLOUR).png().toBuffer()
    expect(await pixelAt(bytes, 16, 16, 8, 8)).toEqual([200, 100, 50])
  })

  it('is known by its first bytes, whatever its name', async () => {
    const bytes = await plain(8, 6, COLOUR).webp({ lossless: true }).toBuffer()
    expect(await inspectPicture(bytes, 'a.png')).toEqual({ width: 8, height: 6 })
  })
})

describe('a picture is refused by name', () => {
  const refused = async (bytes: Uint8Array, message: RegExp): Promise<void> => {
    const error = { code: 'picture.malformed', message: expect.stringMatching(message) as string }
    await expect(inspectPicture(bytes, 'hand.png')).rejects.toMatchObject(error)
  }

  it.each(['png', 'jpeg', 'webp'] as const)('when it is a truncated %s', async (format) => {
    const bytes = await noisy(64, 64).toFormat(format).toBuffer()
    for (const share of [0.3, 0.6, 0.9]) {
      await refused(bytes.subarray(0, Math.floor(bytes.length * share)), /^hand\.png is damaged or ends too early/)
    }
  })

  it('when its data was altered', async () => {
    const bytes = await noisy(64, 64).png().toBuffer()
    bytes[bytes.length >> 1]! ^= 0x55
    await refused(bytes, /^hand\.png is damaged or ends too early/)
  })

  it('when it is empty', () => refused(Buffer.alloc(0), /^hand\.png is empty\.$/))

  it('when it is text', () => refused(Buffer.from('not a picture at all'), /^hand\.png is neither a PNG/))

  it.each(['gif', 'tiff'] as const)('when it is a %s in disguise', async (format) => {
    await refused(await plain(8, 8, COLOUR).toFormat(format).toBuffer(), /^hand\.png is neither a PNG/)
  })

  it('when it is an SVG in disguise', () =>
    refused(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), /^hand\.png is neither a PNG/))

  it('when it is animated', async () => {
    const frames = [await noisy(16, 16).png().toBuffer(), await noisy(16, 16).png().toBuffer()]
    await refused(await sharp(frames, { join: { animated: true } }).webp().toBuffer(), /^hand\.png is animated\.$/)
  })

  it('when it claims more pixels than there can be', async () => {
    await refused(hugePng(40_000, 40_000), /^hand\.png claims more than 134,217,728 pixels\.$/)
  })
})

/** A PNG of a few hundred bytes whose header claims a size. */
function hugePng(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2], 8)
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const data = deflateSync(Buffer.alloc(100_000))
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}
