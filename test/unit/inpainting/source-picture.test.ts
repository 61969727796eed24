import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { feathered } from '../../../main/engine/inpainting/feather.ts'
import { encodeSource, readSource, seenPart, withPartDrawn } from '../../../main/engine/inpainting/source-picture.ts'
import { readPngText } from '../../../main/engine/pictures/png-metadata.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { maskWhere, writePicture } from './mask-files.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'halfstep-source-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const whole = { left: 0, top: 0, width: 20, height: 12 }
const white = float32([1, 3, 12, 20], new Float32Array(3 * 240).fill(1))

describe('a picture that is repaired', () => {
  it.each([3, 4] as const)('keeps every byte outside the mask, with %i channels', async (channels) => {
    const source = await readSource(await writePicture(join(folder, `picture-${channels}.png`), 20, 12, channels))
    expect(source.channels).toBe(channels)
    const mask = maskWhere(20, 12, (x, y) => x >= 5 && x < 15 && y >= 3 && y < 9)
    const result = await withPartDrawn(source, whole, white, { ...whole, ...feathered(mask, 2) })
    source.data.forEach((byte, i) => {
      if (mask.data[Math.floor(i / channels)] === 0) expect(result.data[i]).toBe(byte)
    })
    // The middle is new altogether, and opaque.
    const middle = (6 * 20 + 10) * channels
    expect([...result.data.subarray(middle, middle + channels)]).toEqual(new Array<number>(channels).fill(255))
    expect(source.data).not.toEqual(result.data)
  })

  it('mixes old and new by the weight, rounded', async () => {
    const source = await readSource(await writePicture(join(folder, 'mix.png'), 20, 12))
    const one = { left: 4, top: 2, width: 1, height: 1, data: Float32Array.of(0.25) }
    const result = await withPartDrawn(source, whole, white, one)
    const at = (2 * 20 + 4) * 3
    expect(result.data[at]).toBe(Math.round(0.75 * source.data[at]! + 0.25 * 255))
  })

  it('is pasted where the part lies, scaled to its size', async () => {
    const source = await readSource(await writePicture(join(folder, 'place.png'), 20, 12))
    const part = { left: 8, top: 4, width: 4, height: 4 }
    const drawn = float32([1, 3, 8, 8], Array.from({ length: 192 }, (_, i) => (i < 64 ? 1 : 0)))
    const weights = { ...part, data: new Float32Array(16).fill(1) }
    const { data } = await withPartDrawn(source, part, drawn, weights)
    const pixel = (x: number, y: number): number[] => [...data.subarray((y * 20 + x) * 3, (y * 20 + x) * 3 + 3)]
    expect(pixel(8, 4)).toEqual([255, 0, 0])
    expect(pixel(11, 7)).toEqual([255, 0, 0])
    expect(pixel(12, 4)).toEqual([...source.data.subarray((4 * 20 + 12) * 3, (4 * 20 + 12) * 3 + 3)])
  })

  it('is seen in its own pixels where nothing is scaled, on white where it is transparent', async () => {
    const source = await readSource(await writePicture(join(folder, 'seen.png'), 20, 12))
    const seen = await seenPart(source, { left: 3, top: 2, width: 4, height: 3 }, { width: 4, height: 3 })
    expect(seen.shape).toEqual([1, 3, 3, 4])
    expect(seen.data[0]).toBeCloseTo(source.data[(2 * 20 + 3) * 3]! / 255, 6)
    const clear = join(folder, 'clear.png')
    writeFileSync(clear, await sharp(new Uint8Array(16), { raw: { width: 2, height: 2, channels: 4 } }).png().toBuffer())
    expect([...(await seenPart(await readSource(clear), { left: 0, top: 0, width: 2, height: 2 }, { width: 2, height: 2 })).data])
      .toEqual(new Array<number>(12).fill(1))
  })

  it.each([['grey', 1], ['grey and transparent', 2]] as const)('takes a %s one', async (name, channels) => {
    const path = join(folder, `${name}.png`)
    const raw = { width: 4, height: 2, channels }
    const bytes = Uint8Array.from({ length: 8 * channels }, (_, i) => 20 * i)
    writeFileSync(path, await sharp(bytes, { raw }).toColourspace('b-w').png().toBuffer())
    const source = await readSource(path)
    expect([source.channels, source.data.length]).toEqual([channels + 2, 8 * (channels + 2)])
    expect([...source.data.subarray(0, 3)]).toEqual([0, 0, 0])
    expect(source.data[source.channels]).toBe(20 * channels)
  })

  it('is written with its texts, and reads the same again', async () => {
    const source = await readSource(await writePicture(join(folder, 'again.png'), 20, 12, 4))
    const path = join(folder, 'written.png')
    const png = await encodeSource(source, { halfstep: '{}' })
    writeFileSync(path, png)
    expect(readPngText(png).get('halfstep')).toBe('{}')
    expect((await readSource(path)).data).toEqual(source.data)
  })
})
