import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { hashDistance, readPictureFacts } from '../../../main/services/pictures/read-picture.ts'
import { examplePng } from './example-pictures.ts'

const scene = (width: number, height: number) => sharp(Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 40" width="${width}" height="${height}">
    <rect width="60" height="40" fill="#345"/><circle cx="20" cy="18" r="13" fill="#fc8"/>
    <rect x="38" y="5" width="9" height="30" fill="#9d4"/>
  </svg>`,
))

describe('looking into a picture', () => {
  it('tells format, upright size and a thumbnail of at most 320 pixels', async () => {
    const facts = await readPictureFacts(await scene(900, 600).jpeg().withMetadata({ orientation: 6 }).toBuffer(), 'a.jpg')
    expect(facts).toMatchObject({ format: 'jpg', width: 600, height: 900 })
    expect(await sharp(facts.thumbnail).metadata()).toMatchObject({ format: 'webp', width: 213, height: 320 })
  })

  it('does not enlarge small pictures', async () => {
    const { thumbnail } = await readPictureFacts(await examplePng(), 'a.png')
    expect(await sharp(thumbnail).metadata()).toMatchObject({ width: 24, height: 16 })
  })

  it('knows a picture again that was scaled, turned into JPEG, or made a little brighter', async () => {
    const { perceptualHash } = await readPictureFacts(await scene(900, 600).png().toBuffer(), 'a.png')
    for (const other of [scene(300, 200).jpeg({ quality: 60 }), scene(900, 600).modulate({ brightness: 1.08 }).webp()]) {
      expect(hashDistance(perceptualHash, (await readPictureFacts(await other.toBuffer(), 'b')).perceptualHash)).toBeLessThanOrEqual(4)
    }
    const mirrored = await readPictureFacts(await scene(900, 600).flop().png().toBuffer(), 'c.png')
    expect(hashDistance(perceptualHash, mirrored.perceptualHash)).toBeGreaterThan(10)
  })

  it('takes what is called PNG by its content', async () => {
    expect((await readPictureFacts(await scene(9, 9).webp().toBuffer(), 'a.png')).format).toBe('webp')
  })

  it('refuses other formats, empty, truncated and animated files by name', async () => {
    const png = await examplePng()
    const gif = await scene(9, 9).gif().toBuffer()
    const raw = { width: 2, height: 4, channels: 3, pageHeight: 2 } as const
    const frames = sharp(Buffer.concat([Buffer.alloc(12, 0), Buffer.alloc(12, 255)]), { raw })
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [gif, 'a.png is neither'],
      [await scene(9, 9).tiff().toBuffer(), 'a.png is neither'],
      [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'a.png is neither'],
      [new Uint8Array(), 'a.png is empty'],
      [png.subarray(0, png.length - 20), 'a.png is damaged'],
      [await frames.webp({ loop: 0, delay: [10, 10] }).toBuffer(), 'a.png is animated'],
    ]
    for (const [bytes, message] of cases) {
      const refusal = { code: 'picture.malformed', message: expect.stringContaining(message) }
      await expect(readPictureFacts(bytes, 'a.png')).rejects.toMatchObject(refusal)
    }
  })

  it('either reads or refuses a mutated file', async () => {
    const png = await examplePng(3)
    await fc.assert(fc.asyncProperty(fc.nat(png.length - 1), fc.nat(255), async (place, value) => {
      const mutated = Uint8Array.from(png)
      mutated[place] = value
      const outcome = await readPictureFacts(mutated, 'a.png').catch((error: unknown) => error)
      expect(outcome).toSatisfy((it: object) => 'thumbnail' in it || ('code' in it && it.code === 'picture.malformed'))
    }), { numRuns: 60 })
  })
})

describe('the distance of hashes', () => {
  it('counts the bits that differ', () => {
    expect(hashDistance('0000000000000000', 'ffffffffffffffff')).toBe(64)
    expect(hashDistance('8000000000000001', '0000000000000000')).toBe(2)
    fc.assert(fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (bits) => {
      const hex = bits.toString(16).padStart(16, '0')
      expect(hashDistance(hex, hex)).toBe(0)
    }))
  })
})
