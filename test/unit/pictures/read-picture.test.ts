import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { readPicture } from '../../../main/engine/pictures/read-picture.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'halfstep-pictures-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a picture for a reward', () => {
  it('is read in its own size, each channel as a plane', async () => {
    const file = path.join(folder, 'red.png')
    await sharp({ create: { width: 3, height: 2, channels: 3, background: { r: 255, g: 0, b: 51 } } }).png().toFile(file)
    const { shape, data } = await readPicture(file)
    expect(shape).toEqual([1, 3, 2, 3])
    expect([data[0], data[6], data[12]].map((value) => Math.round((value ?? NaN) * 255))).toEqual([255, 0, 51])
  })

  it('is refused by name when it is none or not there', async () => {
    const file = path.join(folder, 'text.png')
    writeFileSync(file, 'no picture')
    await expect(readPicture(file)).rejects.toThrow(file)
    await expect(readPicture(path.join(folder, 'nowhere.png'))).rejects.toThrow('nowhere.png')
  })
})
