import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { PictureFolder } from '../../../main/engine/pictures/picture-folder.ts'
import { readPngText, withPngText } from '../../../main/engine/pictures/png-metadata.ts'
import { encodePng } from '../../../main/engine/pictures/png.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

const picture = float32([1, 3, 1, 2], [0, 1, 0.5, 2, -1, 0.25])
let png: Uint8Array
beforeAll(async () => void (png = await encodePng(picture)))

describe('a picture as a PNG file', () => {
  it('has its colours per pixel, clamped', async () => {
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([2, 1, 3])
    expect([...data]).toEqual([0, 128, 0, 255, 255, 64])
  })

  it('is the same picture with texts in it', async () => {
    const with_ = await encodePng(picture, { parameters: 'a fox\nSteps: 20' })
    expect(await sharp(with_).raw().toBuffer()).toEqual(await sharp(png).raw().toBuffer())
    expect((await sharp(with_).metadata()).comments).toEqual([{ keyword: 'parameters', text: 'a fox\nSteps: 20' }])
  })
})

describe('texts in a PNG file', () => {
  it('come back as they were', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0') && value.isWellFormed())
    fc.assert(fc.property(text, text, (first, second) => {
      const texts = readPngText(withPngText(png, { parameters: first, halfstep: second }))
      expect([...texts]).toEqual([['parameters', first], ['halfstep', second]])
    }))
  })

  it('lie in tEXt where Latin-1 holds them and in iTXt elsewhere', () => {
    const typesIn = (text: string) => Buffer.from(withPngText(png, { parameters: text })).toString('latin1').match(/[ti]TXt|tEXt/g)
    expect([typesIn('Müller'), typesIn('絵')]).toEqual([['tEXt'], ['iTXt']])
  })

  it.each(['', 'x'.repeat(80), 'zero\0', '絵'])('are refused under the keyword "%s"', (keyword) => {
    expect(() => withPngText(png, { [keyword]: 'text' })).toThrow(RangeError)
  })
})

describe('a damaged PNG file', () => {
  it('is refused or still read, never something else', () => {
    const whole = withPngText(png, { parameters: 'a fox', halfstep: '絵' })
    fc.assert(fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const damaged = cut ? whole.slice(0, at) : Uint8Array.from(whole, (value, i) => (i === at ? byte : value))
      try {
        readPngText(damaged)
      } catch (error) {
        expect(error).toMatchObject({ code: 'picture.malformed' })
      }
    }), { numRuns: 500 })
  })

  it('is refused when a text in it was changed', () => {
    const bytes = Buffer.from(withPngText(png, { parameters: 'a fox' }))
    bytes.write('b', bytes.indexOf('a fox'))
    expect(() => readPngText(bytes)).toThrow(/its chunk tEXt is damaged/)
  })
})

describe('a folder of pictures', () => {
  it('goes on behind the largest number and around what is there', async () => {
    const path = mkdtempSync(join(tmpdir(), 'halfstep-pictures-'))
    writeFileSync(join(path, '00041-7.png'), 'mine')
    const [one, two] = [await PictureFolder.open(path), await PictureFolder.open(path)]
    await one.add(png, '7')
    await two.add(png, '7')
    expect(readdirSync(path)).toEqual(['00041-7.png', '00042-7.png', '00043-7.png'])
    rmSync(path, { recursive: true })
  })

  it('that cannot be one is refused', async () => {
    await expect(PictureFolder.open(join(import.meta.filename, 'inside'))).rejects.toMatchObject({ code: 'file.unwritable' })
  })
})
