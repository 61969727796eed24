import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bucketSizes, nearestBucket } from '../../../main/engine/dataset/aspect-buckets.ts'
import type { Task } from '../../../main/services/tasks.ts'
import { examplePng } from './example-pictures.ts'
import { type LibraryFixture, openFixture, quietTask } from './library-fixture.ts'

let fixture: LibraryFixture
let folder: string
let id: string

beforeEach(() => {
  fixture = openFixture({
    'dataset.buckets': ({ pictures, ...rules }) => {
      const sizes = bucketSizes(rules)
      return { sizes: [...sizes], places: pictures.map((picture) => nearestBucket(picture, sizes)) }
    },
  })
  folder = join(fixture.folder, 'Bilder 日本語')
  mkdirSync(join(folder, 'inner'), { recursive: true })
  id = fixture.services.datasets.create('Hands').id
})

afterEach(() => fixture.close())

async function savePicture(name: string, tone: number, caption?: string, size?: { width: number; height: number }): Promise<void> {
  writeFileSync(join(folder, name), await examplePng(tone, size))
  if (caption !== undefined) writeFileSync(join(folder, name.replace(/\.\w+$/, '.txt')), caption)
}
const importAll = (task: Task = quietTask()) => fixture.services.datasets.import(id, [folder], task)
const all = (search = '') => fixture.services.datasets.images(id, { search, offset: 0, limit: 1000 })

describe('importing into a dataset', () => {
  it('takes pictures with their captions from folders, folders inside included', async () => {
    await savePicture('b.png', 1, 'a  red\nhand ')
    await savePicture('a.png', 2)
    await savePicture('inner/c.png', 3, '\uFEFFün')
    writeFileSync(join(folder, 'notes.txt'), 'no caption')
    writeFileSync(join(folder, '.hidden.png'), 'x')
    expect(await importAll()).toEqual({ added: 3, known: 0, captions: 2, skipped: [] })
    const { total, images } = all()
    expect(total).toBe(3)
    expect(images.map(({ name, caption }) => [name, caption])).toEqual([['a.png', ''], ['b.png', 'a red hand'], ['c.png', 'ün']])
    expect(fixture.services.datasets.list()).toMatchObject([{ name: 'Hands', images: 3, cover: images[0]?.thumbnail }])
  })

  it('names what cannot be used and goes on', async () => {
    await savePicture('a.png', 1)
    const png = await examplePng(2)
    writeFileSync(join(folder, 'cut.png'), png.subarray(0, 60))
    writeFileSync(join(folder, 'empty.jpg'), '')
    writeFileSync(join(folder, 'scan.tiff'), 'x')
    writeFileSync(join(folder, 'text.png'), 'this is text')
    const { added, skipped } = await importAll()
    expect(added).toBe(1)
    expect(skipped.map(({ name }) => name).sort()).toEqual(['cut.png', 'empty.jpg', 'scan.tiff', 'text.png'])
    for (const { name, reason } of skipped) expect(reason).toContain(name)
  })

  it('knows a picture again to the byte, under whatever name', async () => {
    await savePicture('a.png', 1)
    await importAll()
    await savePicture('again.png', 1)
    expect(await importAll()).toMatchObject({ added: 0, known: 2 })
  })

  it('keeps what was taken before it is cancelled, with captions', async () => {
    for (let i = 0; i < 9; i++) await savePicture(`${i}.png`, i, `number ${i}`)
    const abort = new AbortController()
    const task: Task = { ...quietTask(abort.signal), progress: () => abort.abort() }
    await expect(importAll(task)).rejects.toThrow()
    const { total, images } = all()
    expect(total).toBeGreaterThan(0)
    expect(total).toBeLessThan(9)
    expect(images.every(({ caption, name }) => caption === `number ${name.replace('.png', '')}`)).toBe(true)
  })

  it('refuses paths that are not there, by name', async () => {
    await expect(fixture.services.datasets.import(id, [join(folder, 'none')], quietTask())).rejects.toMatchObject({ code: 'file.missing' })
  })
})

describe('the images of a dataset', () => {
  it('come in pages by name, and are found by name and caption, whatever the signs', async () => {
    for (let i = 0; i < 5; i++) await savePicture(`${i}.png`, i, i === 3 ? '100%_sure' : 'other')
    await importAll()
    const { datasets } = fixture.services
    expect(datasets.images(id, { search: '', offset: 3, limit: 5 }).images.map(({ name }) => name)).toEqual(['3.png', '4.png'])
    expect(all('%_').images.map(({ name }) => name)).toEqual(['3.png'])
    expect(all('OTHER').total).toBe(4)
    expect(all('2.PNG').total).toBe(1)
  })

  it('can be taken out and put back, unless they were added anew', async () => {
    await savePicture('a.png', 1)
    await savePicture('b.png', 2)
    await importAll()
    const { datasets } = fixture.services
    const ids = all().images.map((image) => image.id)
    datasets.removeImages(ids)
    expect(all().total).toBe(0)
    await datasets.import(id, [join(folder, 'a.png')], quietTask())
    expect(datasets.restoreImages(ids)).toBe(1)
    expect(all().images.map(({ name }) => name)).toEqual(['a.png', 'b.png'])
  })

  it('are grouped where they look alike', async () => {
    const { default: sharp } = await import('sharp')
    const png = await examplePng(5, { width: 90, height: 60 })
    writeFileSync(join(folder, 'a.png'), png)
    writeFileSync(join(folder, 'b.webp'), await sharp(png).webp({ quality: 95 }).toBuffer())
    await savePicture('other.png', 11, undefined, { width: 90, height: 60 })
    await importAll()
    const groups = await fixture.services.datasets.lookalikes(id, 6, quietTask())
    expect(groups.map((group) => group.map(({ name }) => name))).toEqual([['a.png', 'b.webp']])
  })
})

describe('captions', () => {
  beforeEach(async () => {
    await savePicture('a.png', 1, 'hand, red, hand')
    await savePicture('b.png', 2, 'foot, red')
    await savePicture('c.png', 3)
    await importAll()
  })

  const captions = (): string[] => all().images.map(({ caption }) => caption)

  it('are edited in one line, each on its own', () => {
    const [image] = all().images
    expect(fixture.services.datasets.setCaption(image!.id, ' a\n hand ')).toMatchObject({ caption: 'a hand' })
  })

  it('are replaced in many at once, after a look, and taken back as one', () => {
    const { datasets } = fixture.services
    const edit = { kind: 'replace', find: 'red', replace: '$& blue' } as const
    expect(datasets.editCaptions(id, edit, { preview: true })).toMatchObject({ edit: null, changed: 2 })
    expect(captions()).toEqual(['hand, red, hand', 'foot, red', ''])
    const report = datasets.editCaptions(id, edit, { preview: false })
    expect(captions()).toEqual(['hand, $& blue, hand', 'foot, $& blue', ''])
    expect(report.examples[0]).toEqual({ name: 'a.png', before: 'hand, red, hand', after: 'hand, $& blue, hand' })
    const [, second] = all().images
    datasets.setCaption(second!.id, 'mine')
    expect(datasets.undoEdit(report.edit ?? '')).toBe(1)
    expect(captions()).toEqual(['hand, red, hand', 'mine', ''])
    expect(datasets.undoEdit(report.edit ?? '')).toBe(0)
  })

  it('get and lose tags, of all or of some images', () => {
    const { datasets } = fixture.services
    const only = [all().images[0]!.id, all().images[2]!.id]
    datasets.editCaptions(id, { kind: 'add-tag', tag: 'art', place: 'front' }, { only, preview: false })
    expect(captions()).toEqual(['art, hand, red, hand', 'foot, red', 'art'])
    datasets.editCaptions(id, { kind: 'remove-tag', tag: 'hand' }, { preview: false })
    expect(captions()).toEqual(['art, red', 'foot, red', 'art'])
    expect(datasets.editCaptions(id, { kind: 'add-tag', tag: 'art', place: 'back' }, { preview: false }).changed).toBe(1)
    expect(datasets.tags(id)).toEqual([{ tag: 'art', count: 3 }, { tag: 'red', count: 2 }, { tag: 'foot', count: 1 }])
  })

  it('go out as files and come in again', async () => {
    const { datasets } = fixture.services
    const out = join(fixture.folder, 'captions')
    mkdirSync(out)
    expect(await datasets.exportCaptions(id, out, quietTask())).toBe(3)
    expect(readFileSync(join(out, 'a.txt'), 'utf8')).toBe('hand, red, hand\n')
    writeFileSync(join(out, 'a.txt'), 'changed')
    writeFileSync(join(out, 'b.txt'), Uint8Array.of(0xc3, 0x28))
    const report = await datasets.importCaptions(id, out, quietTask())
    expect(report).toMatchObject({ changed: 1, skipped: [{ name: 'b.png' }] })
    expect(captions()).toEqual(['changed', 'foot, red', ''])
    expect(datasets.undoEdit(report.edit ?? '')).toBe(1)
  })

  it('are not written where two images would need the same file', async () => {
    await savePicture('inner/a.png', 9)
    await importAll()
    const written = fixture.services.datasets.exportCaptions(id, fixture.folder, quietTask())
    await expect(written).rejects.toMatchObject({ code: 'library.in-use' })
  })
})

describe('how training sees a dataset', () => {
  it('is told size by size, with what is cut away', async () => {
    await savePicture('square.png', 1, undefined, { width: 64, height: 64 })
    await savePicture('wide.png', 2, undefined, { width: 640, height: 320 })
    await importAll()
    const rules = { resolution: 256, granularity: 64, largestAspect: 2 }
    const buckets = await fixture.services.datasets.buckets(id, rules)
    expect(buckets.map(({ images }) => images)).toEqual([1, 1])
    const square = buckets.find(({ width, height }) => width === height)
    expect(square).toMatchObject({ width: 256, enlarged: 1, cropped: 0, examples: [{ name: 'square.png' }] })
    for (const { cropped } of buckets) expect(cropped).toBeLessThan(0.2)
  })

  it('is a folder that never changes, made once for the same content', async () => {
    await savePicture('a.png', 1, 'a hand')
    await importAll()
    const { datasets } = fixture.services
    const first = await datasets.freeze(id)
    expect(readdirSync(first.folder)).toHaveLength(2)
    expect(await datasets.freeze(id)).toEqual(first)
    datasets.editCaptions(id, { kind: 'set', caption: 'another' }, { preview: false })
    const second = await datasets.freeze(id)
    expect([first.version, second.version]).toEqual([1, 2])
    const caption = readdirSync(first.folder).find((name) => name.endsWith('.txt')) ?? ''
    expect(readFileSync(join(first.folder, caption), 'utf8')).toBe('a hand\n')
    expect(readFileSync(join(second.folder, caption), 'utf8')).toBe('another\n')
    expect(datasets.versions(id)).toHaveLength(2)
  })

  it('is made again where the folder was lost', async () => {
    await savePicture('a.png', 1, 'a hand')
    await importAll()
    const { folder: lost, version } = await fixture.services.datasets.freeze(id)
    rmSync(lost, { recursive: true })
    expect(await fixture.services.datasets.freeze(id)).toMatchObject({ folder: lost, version })
    expect(statSync(lost).isDirectory()).toBe(true)
  })

  it('is refused while it is empty', async () => {
    await expect(fixture.services.datasets.freeze(id)).rejects.toMatchObject({ code: 'recipe.impossible' })
  })
})
