import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AdapterSummary } from '../../../main/engine/protocol.ts'
import { SUMMARY } from '../store/example-rows.ts'
import { examplePng } from './example-pictures.ts'
import { type LibraryFixture, openFixture, quietTask } from './library-fixture.ts'

const ADAPTER: AdapterSummary = {
  format: 'kohya', dtype: 'float32', ranks: [4], alphas: [4], modules: 1, parameters: 8, components: {}, targets: {}, problems: [],
}

let fixture: LibraryFixture

beforeEach(() => {
  fixture = openFixture({
    'adapter.inspect': () => ADAPTER,
    'model.inspect': ({ path }) => ({ ...SUMMARY, path }),
    'model.generate': async ({ out }, { onProgress }) => {
      const path = join(out, '0.png')
      writeFileSync(path, await examplePng(3))
      onProgress?.({ picture: 0, pictures: 1, step: 1, steps: 1, path })
      return { pictures: [], notes: [] }
    },
  })
})

afterEach(() => fixture.close())

const inLibrary = (file: string): string => join(fixture.services.app.libraryFolder, file)
const namesIn = (folder: string): string[] => (existsSync(inLibrary(folder)) ? readdirSync(inLibrary(folder)) : [])

describe('the bin', () => {
  it('holds what was removed until it is brought back', () => {
    const { prompts, bin } = fixture.services
    const { key } = prompts.save({ name: 'Mine', kind: 'training', prompts: [], negative: '', slots: {} })
    prompts.remove(key)
    expect(bin.list()).toMatchObject([{ area: 'prompts', id: key, name: 'Mine' }])
    bin.restore('prompts', key)
    expect(bin.list()).toEqual([])
    expect(prompts.get(key).name).toBe('Mine')
  })

  it('gives nothing back whose place was taken', async () => {
    const { models, bin } = fixture.services
    const { id } = await models.add(fixture.folder, quietTask())
    models.remove(id)
    await models.add(fixture.folder, quietTask())
    expect(() => bin.restore('models', id)).toThrow(expect.objectContaining({ code: 'library.in-use' }))
  })

  it('is emptied with the files that nothing else needs', async () => {
    const { adapters, datasets, studio, models, bin } = fixture.services
    const { id: modelId } = await models.add(fixture.folder, quietTask())
    const wish = { modelId, prompts: ['a'], adapters: [], count: 1, seed: 1, sampler: 'ddim', steps: 1, guidance: 1 } as const
    const { generations } = await studio.generate(wish, quietTask())

    const pictures = join(fixture.folder, 'pictures')
    mkdirSync(pictures)
    writeFileSync(join(pictures, 'shared.png'), await examplePng(3))
    writeFileSync(join(pictures, 'own.png'), await examplePng(4))
    const { id } = datasets.create('Hands')
    await datasets.import(id, [pictures], quietTask())
    await datasets.freeze(id)
    writeFileSync(join(fixture.folder, 'a.safetensors'), 'a')
    const adapter = await adapters.import(join(fixture.folder, 'a.safetensors'), quietTask())
    expect([namesIn('pictures').length, namesIn('thumbnails').length, namesIn('adapters').length]).toEqual([2, 2, 1])

    datasets.remove(id)
    adapters.remove(adapter.id)
    expect(await bin.empty(quietTask())).toBe(2)
    expect([namesIn('pictures').length, namesIn('thumbnails').length, namesIn('adapters').length]).toEqual([1, 1, 0])
    expect(namesIn('datasets')).toEqual([])
    expect(existsSync(inLibrary(generations[0]!.url.replace('/library/', '')))).toBe(true)

    studio.remove(generations[0]!.id)
    await bin.empty(quietTask())
    expect([namesIn('pictures'), namesIn('thumbnails'), bin.list()]).toEqual([[], [], []])
    expect(await fixture.services.library.verify(quietTask())).toEqual([])
  })

  it('takes images that were taken out of their dataset along', async () => {
    const { datasets, bin } = fixture.services
    writeFileSync(join(fixture.folder, 'a.png'), await examplePng(1))
    const { id } = datasets.create('Hands')
    await datasets.import(id, [join(fixture.folder, 'a.png')], quietTask())
    datasets.removeImages(datasets.images(id, { search: '', offset: 0, limit: 9 }).images.map((image) => image.id))
    expect(await bin.empty(quietTask())).toBe(0)
    expect(namesIn('pictures')).toEqual([])
  })
})
