import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import type { AdapterSummary } from '../../../main/engine/protocol.ts'
import { examplePng } from './example-pictures.ts'
import { type LibraryFixture, openFixture, quietTask } from './library-fixture.ts'

const SUMMARY: AdapterSummary = {
  format: 'kohya', dtype: 'float32', ranks: [4], alphas: [4], modules: 2, parameters: 64, components: { unet: 2 }, targets: { to_q: 2 },
  problems: [],
}

let fixture: LibraryFixture

beforeEach(() => {
  fixture = openFixture({
    'adapter.inspect': ({ path }) => {
      if (readFileSync(path, 'utf8') === 'junk') throw new HalfstepError('adapter.malformed', `${path} is no adapter.`, 'Choose another.')
      return SUMMARY
    },
    'adapter.merge': ({ parts, out }) => {
      writeFileSync(out, parts.map(({ path, strength }) => `${readFileSync(path, 'utf8')}*${strength}`).join('+'))
      return { summary: SUMMARY, keptEnergy: 0.5 }
    },
    'adapter.convert': ({ path, out, format }) => {
      writeFileSync(out, `${format}:${readFileSync(path, 'utf8')}`)
      return { ...SUMMARY, format }
    },
  })
})

afterEach(() => fixture.close())

const file = (name: string, content: string): string => {
  writeFileSync(join(fixture.folder, name), content)
  return join(fixture.folder, name)
}
const importFile = (name: string, content = name) => fixture.services.adapters.import(file(name, content), quietTask())
const contentOf = (url: string): string => readFileSync(join(fixture.services.app.libraryFolder, url.replace('/library/', '')), 'utf8')

describe('adapters', () => {
  it('are imported as copies named by content, under the name of the file', async () => {
    const adapter = await importFile('style.safetensors')
    expect(adapter).toMatchObject({ name: 'style', origin: 'import', summary: SUMMARY, strength: 1, preview: null })
    expect(adapter.url).toMatch(/^\/library\/adapters\/[0-9a-f]{64}\.safetensors$/)
    expect(contentOf(adapter.url)).toBe('style.safetensors')
    expect(fixture.services.adapters.list()).toEqual([adapter])
    expect(fixture.events.at(-1)).toEqual({ name: 'library.changed', payload: { area: 'adapters' } })
  })

  it('are kept once per content', async () => {
    const { id } = await importFile('a.safetensors', 'same')
    expect((await importFile('b.safetensors', 'same')).id).toBe(id)
  })

  it('are refused by name when they are none, and not kept', async () => {
    await expect(importFile('a.safetensors', 'junk')).rejects.toMatchObject({ code: 'adapter.malformed' })
    expect(fixture.services.adapters.list()).toEqual([])
    expect(existsSync(join(fixture.services.app.libraryFolder, 'adapters'))).toBe(false)
  })

  it('change where they are told to', async () => {
    const { id } = await importFile('a.safetensors')
    fixture.services.adapters.change(id, { notes: 'for hands', strength: 0 })
    expect(fixture.services.adapters.change(id, { triggerWords: 'handy', name: 'Hands' }))
      .toMatchObject({ name: 'Hands', triggerWords: 'handy', notes: 'for hands', strength: 0 })
    expect(() => fixture.services.adapters.change('none', {})).toThrow(expect.objectContaining({ code: 'library.missing' }))
  })

  it('are merged into a new one, leaving nothing in between', async () => {
    const [a, b] = [await importFile('a.safetensors'), await importFile('b.safetensors')]
    const parts = [{ id: a.id, strength: 0.7 }, { id: b.id, strength: -0.3 }]
    const { adapter, keptEnergy } = await fixture.services.adapters.merge({ parts, name: 'Both', rank: 2 }, quietTask())
    expect(adapter).toMatchObject({ name: 'Both', origin: 'merge' })
    expect(keptEnergy).toBe(0.5)
    expect(contentOf(adapter.url)).toBe('a.safetensors*0.7+b.safetensors*-0.3')
    expect(readdirSync(join(fixture.services.app.libraryFolder, 'incoming'))).toEqual([])
  })

  it('are exported where a dialog says, or into the library to be downloaded', async () => {
    const { id } = await importFile('süße Hände!.safetensors', 'x')
    const { adapters } = fixture.services
    const path = join(fixture.folder, 'out.safetensors')
    expect(await adapters.export(id, { format: 'peft', path }, quietTask())).toEqual({ path, url: null })
    expect(readFileSync(path, 'utf8')).toBe('peft:x')
    const { url } = await adapters.export(id, { format: 'kohya' }, quietTask())
    expect(url).toMatch(/^\/library\/exports\/[A-Za-z0-9-]+-kohya\.safetensors$/)
    expect(contentOf(url ?? '')).toBe('kohya:x')
    const other = adapters.export(id, { format: 'kohya', path: join(fixture.folder, 'x.exe') }, quietTask())
    await expect(other).rejects.toMatchObject({ code: 'usage' })
  })

  it('go to the bin and can be imported again', async () => {
    const { id } = await importFile('a.safetensors')
    fixture.services.adapters.remove(id)
    expect(fixture.services.adapters.list()).toEqual([])
    expect((await importFile('a.safetensors')).id).not.toBe(id)
  })
})

describe('pictures of the library', () => {
  it('are taken in byte for byte, once, with a thumbnail', async () => {
    const { PictureLibrary } = await import('../../../main/services/pictures/picture-library.ts')
    const { openDatabase } = await import('../../../main/store/database.ts')
    const database = openDatabase(':memory:')
    const folder = join(fixture.folder, 'pictures-only')
    mkdirSync(folder)
    const library = new PictureLibrary(database, folder)
    const png = join(fixture.folder, 'a.png')
    writeFileSync(png, await examplePng())
    const picture = await library.take(png)
    expect(readFileSync(library.path(picture.file)).equals(readFileSync(png))).toBe(true)
    copyFileSync(png, join(fixture.folder, 'b.png'))
    expect(await library.take(join(fixture.folder, 'b.png'))).toEqual(picture)
    expect(readdirSync(join(folder, 'thumbnails'))).toEqual([`${picture.sha256}.webp`])
    await expect(library.take(join(fixture.folder, 'none.png'))).rejects.toMatchObject({ code: 'file.missing' })
    database.close()
  })
})
