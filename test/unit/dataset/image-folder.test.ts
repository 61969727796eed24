import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readImageFolder } from '../../../main/engine/dataset/image-folder.ts'
import { gradientPicture, noisy, plain } from './pictures.ts'

async function folderOf(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'halfstep-pictures-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

const png = (width = 8, height = 6): Promise<Buffer> => plain(width, height, { r: 1, g: 2, b: 3 }).png().toBuffer()

describe('a folder of pictures', () => {
  it('gives each picture upright with the text beside it, in the order of names', async () => {
    const folder = await folderOf({
      'b.PNG': await png(),
      'b.txt': ' a blue\nhand ',
      'a.jpg': await gradientPicture(8, 6).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      'c.webp': await plain(5, 5, { r: 0, g: 0, b: 0 }).webp().toBuffer(),
      'c.TXT': 'ein Öl',
      'd.jpeg': await gradientPicture(3, 3).jpeg().toBuffer(),
      'notes.md': 'no picture',
      'lonely.txt': 'no picture either',
      '.hidden.png': 'left by an editor',
    })
    const { pictures, skipped } = await readImageFolder(folder, 'a hand')
    expect(pictures.map(({ name, caption, width, height }) => [name, caption, width, height])).toEqual([
      ['a.jpg', 'a hand', 6, 8], ['b.PNG', 'a blue hand', 8, 6], ['c.webp', 'ein Öl', 5, 5], ['d.jpeg', 'a hand', 3, 3],
    ])
    expect(skipped).toEqual([])
  })

  it('skips by name what cannot be used, and goes on', async () => {
    const whole = await noisy(64, 64).png().toBuffer()
    const folder = await folderOf({
      'a.png': whole.subarray(0, whole.length >> 1),
      'b.png': '',
      'c.gif': 'GIF89a',
      'd.tiff': 'II',
      'e.svg': '<svg/>',
      'f.jpg': 'text',
      'g.png': await png(),
      'h.png': await png(),
      'h.txt': Buffer.from([0xe4, 0xf6]),
      'i.png': await png(),
      'i.txt': Buffer.alloc(100_000, 0x61),
    })
    await mkdir(join(folder, 'more'))
    await mkdir(join(folder, 'z.png'))
    const { pictures, skipped } = await readImageFolder(folder)
    expect(pictures.map(({ name }) => name)).toEqual(['g.png'])
    const expected = ['a.png', 'b.png', 'c.gif', 'd.tiff', 'e.svg', 'f.jpg', 'h.png', 'i.png', 'more', 'z.png']
    expect(skipped.map(({ name }) => name)).toEqual(expected)
    for (const { name, reason } of skipped) expect(reason).toContain(name.replace('.png', ''))
    expect(skipped.find(({ name }) => name === 'h.png')?.reason).toBe('Its caption h.txt is not text in UTF-8.')
  })

  it('tells two pictures apart by what is in them, not by their names', async () => {
    const folder = await folderOf({ 'a.png': await png(), 'b.png': await png(), 'c.png': await png(9) })
    const [a, b, c] = (await readImageFolder(folder)).pictures.map(({ fingerprint }) => fingerprint)
    expect(a).toBe(b)
    expect(a).not.toBe(c)
  })

  it('that is not there, or no folder, is refused', async () => {
    const folder = await folderOf({ 'a.png': await png() })
    await expect(readImageFolder(join(folder, 'none'))).rejects.toMatchObject({ code: 'file.missing' })
    await expect(readImageFolder(join(folder, 'a.png'))).rejects.toMatchObject({ code: 'file.unreadable' })
  })
})
