import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boundsOf, cutOut, readPaintMask } from '../../../main/engine/inpainting/paint-mask.ts'
import { maskWhere, writeMask } from './mask-files.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'halfstep-mask-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const size = { width: 12, height: 8 }
const painted = maskWhere(12, 8, (x, y) => x >= 3 && x < 6 && y === 4)

describe('a mask file', () => {
  it('is read as it was written', async () => {
    expect(await readPaintMask(await writeMask(join(folder, 'grey.png'), painted), size)).toEqual(painted)
  })

  it('counts white on transparent as painted, and transparent as kept', async () => {
    const rgba = Uint8Array.from({ length: 12 * 8 * 4 }, (_, i) => 255 * painted.data[Math.floor(i / 4)]!)
    const path = join(folder, 'transparent.png')
    writeFileSync(path, await sharp(rgba, { raw: { ...size, channels: 4 } }).png().toBuffer())
    expect(await readPaintMask(path, size)).toEqual(painted)
  })

  it('is scaled to the picture where it was drawn on a smaller copy', async () => {
    const small = await writeMask(join(folder, 'small.png'), maskWhere(6, 4, (x) => x < 3))
    const { width, data } = await readPaintMask(small, size)
    expect([width, data[0], data[11]]).toEqual([12, 1, 0])
  })

  it('is refused when it is black, of other proportions, damaged or not there', async () => {
    const black = await writeMask(join(folder, 'black.png'), maskWhere(12, 8, () => false))
    const nothing = { code: 'recipe.impossible', message: `The mask ${black} is black all over: there is nothing to repair.` }
    await expect(readPaintMask(black, size)).rejects.toMatchObject(nothing)
    const square = await writeMask(join(folder, 'square.png'), maskWhere(8, 8, () => true))
    const message = `The mask ${square} is 8x8, which does not go with a picture of 12x8.`
    await expect(readPaintMask(square, size)).rejects.toMatchObject({ code: 'recipe.impossible', message })
    const broken = join(folder, 'broken.png')
    writeFileSync(broken, 'no picture')
    await expect(readPaintMask(broken, size)).rejects.toMatchObject({ code: 'picture.malformed', message: expect.stringContaining(broken) })
    await expect(readPaintMask(join(folder, 'none.png'), size)).rejects.toMatchObject({ code: 'file.unreadable' })
  })
})

describe('what is painted', () => {
  it('lies in the smallest rectangle around it', () => {
    expect(boundsOf(painted)).toEqual({ left: 3, top: 4, width: 3, height: 1 })
    expect(boundsOf(maskWhere(4, 4, () => false))).toBeUndefined()
  })

  it('is cut out in place', () => {
    expect([...cutOut(painted, { left: 2, top: 3, width: 3, height: 2 }).data]).toEqual([0, 0, 0, 0, 1, 1])
  })
})
