import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withPngText } from '../../../main/engine/pictures/png-metadata.ts'
import type { AdapterSummary, TrainingEvent } from '../../../main/engine/protocol.ts'
import { restoreLibrary } from '../../../main/services/library/backup-library.ts'
import { openForRepair } from '../../../main/services/library/open-for-repair.ts'
import { openServices } from '../../../main/services/services.ts'
import { examplePng } from './example-pictures.ts'
import { fakeEngine } from './fake-engine.ts'
import { type LibraryFixture, openFixture, quietTask } from './library-fixture.ts'

const ADAPTER: AdapterSummary = {
  format: 'kohya', dtype: 'float32', title: 'Hands', ranks: [4], alphas: [4], modules: 1, parameters: 8, components: {}, targets: {},
  problems: [],
}
const JOBS = { 'adapter.inspect': () => ADAPTER }
const RUN_ID = '00000000-0000-4000-8000-00000000abcd'

let fixture: LibraryFixture
let library: string
let datasetId: string

beforeEach(async () => {
  fixture = openFixture(JOBS)
  library = fixture.services.app.libraryFolder
  const pictures = join(fixture.folder, 'pictures')
  mkdirSync(pictures)
  for (const tone of [1, 2]) {
    writeFileSync(join(pictures, `${tone}.png`), await examplePng(tone))
    writeFileSync(join(pictures, `${tone}.txt`), `tone ${tone}`)
  }
  datasetId = fixture.services.datasets.create('Hands').id
  await fixture.services.datasets.import(datasetId, [pictures], quietTask())
  await fixture.services.datasets.freeze(datasetId)
  writeFileSync(join(fixture.folder, 'style.safetensors'), 'style')
  await fixture.services.adapters.import(join(fixture.folder, 'style.safetensors'), quietTask())
})

afterEach(() => fixture.close())

const inLibrary = (...parts: string[]): string => join(library, ...parts)
const first = (folder: string): string => readdirSync(inLibrary(folder)).sort()[0]!
const verify = () => fixture.services.library.verify(quietTask())
const kinds = async () => (await verify()).map(({ kind }) => kind).sort()

/** The folder of a finished run, as the engine leaves it. */
function writeRun(): void {
  const folder = inLibrary('runs', RUN_ID)
  mkdirSync(join(folder, 'samples'), { recursive: true })
  writeFileSync(join(folder, 'recipe.json'), JSON.stringify({ version: 1, model: '/m', updates: 2, date: '2026-03-04T00:00:00Z' }))
  writeFileSync(join(folder, 'adapter.safetensors'), 'trained')
  const cost = { memoryBytes: null, secondsPerUpdate: null }
  const events: TrainingEvent[] = [
    { type: 'started', folder, update: 0, updates: 2, parameters: 8, estimate: cost, deviceBytes: null },
    ...[1, 2].map((update): TrainingEvent => ({
      type: 'progress', update, updates: 2, reward: { mean: update, spread: 0, min: update, max: update }, parts: {}, gradientNorm: 1,
      learningRate: 1, steps: [], seconds: 1, timeLeft: null,
    })),
    { type: 'sample', update: 2, files: ['/an/older/place/samples/000002-0.png'] },
    {
      type: 'finished', update: 2, adapter: 'x', adapterUpdate: 2, adapterChanged: true, rewardConstant: false, seconds: 2, estimate: cost,
      measured: cost,
    },
  ]
  const lines = events.map((event) => JSON.stringify({ time: '2026-03-04T00:00:01Z', ...event }))
  writeFileSync(join(folder, 'events.jsonl'), `\n${lines.join('\n')}\n{"torn`)
}

describe('verifying a library', () => {
  it('finds nothing wrong with one that is in order', async () => {
    expect(await verify()).toEqual([])
  })

  it('names files that are gone, changed, unknown and left behind, and changes nothing', async () => {
    rmSync(inLibrary('pictures', first('pictures')))
    rmSync(inLibrary('thumbnails', first('thumbnails')))
    writeFileSync(inLibrary('adapters', first('adapters')), 'changed')
    writeFileSync(inLibrary('adapters', 'unknown.safetensors'), '')
    writeFileSync(inLibrary('pictures', '.x.tmp'), '')
    const expected = ['damaged', 'leftover', 'missing', 'stray', 'thumbnail']
    expect(await kinds()).toEqual(expected)
    expect(await kinds()).toEqual(expected)
  })

  it('can be cancelled', async () => {
    await expect(fixture.services.library.verify(quietTask(AbortSignal.abort()))).rejects.toThrow()
  })
})

describe('repairing a library', () => {
  it('makes thumbnails again, puts damaged files aside, removes leftovers, and says what is lost', async () => {
    rmSync(inLibrary('thumbnails', first('thumbnails')))
    writeFileSync(inLibrary('adapters', first('adapters')), 'changed')
    rmSync(inLibrary('pictures', first('pictures')))
    writeFileSync(inLibrary('pictures', '.x.tmp'), '')
    const { repaired, left } = await fixture.services.library.repair(quietTask())
    expect(left.map(({ kind }) => kind)).toContain('missing')
    expect(repaired.length).toBeGreaterThanOrEqual(2)
    expect(readdirSync(inLibrary('damaged'))).toHaveLength(1)
    expect(readdirSync(inLibrary('pictures')).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('keeps a file that is not what its name says out of the library', async () => {
    writeFileSync(inLibrary('adapters', `${'a'.repeat(64)}.safetensors`), 'other')
    const { left } = await fixture.services.library.repair(quietTask())
    expect(left).toMatchObject([{ kind: 'stray', file: `adapters/${'a'.repeat(64)}.safetensors` }])
    expect(fixture.services.adapters.list()).toHaveLength(1)
  })

  it('makes the database again from the files: datasets, studio pictures, adapters and runs with their curves', async () => {
    const recipe = JSON.stringify({ version: 1, prompt: 'a hand', seed: 5 })
    const made = withPngText(await sharp(Buffer.from(await examplePng(9))).png().toBuffer(), { halfstep: recipe })
    const { PictureLibrary } = await import('../../../main/services/pictures/picture-library.ts')
    const { openDatabase } = await import('../../../main/store/database.ts')
    const aside = openDatabase(':memory:')
    await new PictureLibrary(aside, library).takeBytes(made, 'made.png')
    await new PictureLibrary(aside, library).takeBytes(await examplePng(7), 'lone.png')
    aside.close()
    writeRun()
    fixture.services.close()
    for (const name of readdirSync(library).filter((file) => file.startsWith('library.sqlite'))) rmSync(inLibrary(name))

    const services = openServices(fakeEngine(JOBS), library)
    const { left } = await services.library.repair(quietTask())
    expect(left).toEqual([])
    const found = services.datasets.list().map(({ name, images }) => [name, images])
    expect(found).toEqual([['Recovered dataset', 2], ['Recovered pictures', 1]])
    const { images } = services.datasets.images(datasetId, { search: '', offset: 0, limit: 9 })
    expect(images.map(({ caption }) => caption).sort()).toEqual(['tone 1', 'tone 2'])
    expect(services.studio.list(0, 9).generations).toMatchObject([{ prompt: 'a hand', seed: 5 }])
    expect(services.runs.list()).toMatchObject([{ id: RUN_ID, state: 'finished', update: 2, latestReward: 2 }])
    expect(services.runs.get(RUN_ID, 9).pictures).toMatchObject([{ url: `/library/runs/${RUN_ID}/samples/000002-0.png` }])
    expect(services.adapters.list().map(({ name, origin }) => [name, origin]).sort()).toEqual([
      ['Hands', 'import'], ['Recovered run of 2026-03-04', 'run'],
    ])
    const again = await services.library.verify(quietTask())
    expect(again.filter(({ kind }) => kind !== 'stray')).toEqual([])
    services.close()
  })

  it('puts a database aside that cannot be read, and one that is damaged', () => {
    for (const damage of [
      () => writeFileSync(inLibrary('library.sqlite'), 'this is a text file, and long enough to be taken for a database file of some kind'),
      () => {
        const bytes = readFileSync(inLibrary('library.sqlite'))
        writeFileSync(inLibrary('library.sqlite'), bytes.fill(0x5a, 4096, 3 * 4096))
      },
    ]) {
      fixture.services.close()
      rmSync(inLibrary('library.sqlite-wal'), { force: true })
      damage()
      const { services, putAside } = openForRepair(fakeEngine(JOBS), library)
      expect(existsSync(putAside ?? '')).toBe(true)
      expect(services.library.isDatabaseSound()).toBe(true)
      services.close()
    }
  })
})

describe('a backup', () => {
  it('brings everything back; what was there is moved aside', async () => {
    const backup = join(fixture.folder, 'backup')
    await fixture.services.library.backup(backup, quietTask())
    fixture.services.datasets.rename(datasetId, 'Later')
    fixture.services.close()
    const aside = await restoreLibrary(backup, library, quietTask())
    expect(existsSync(join(aside ?? '', 'library.sqlite'))).toBe(true)
    const services = openServices(fakeEngine(JOBS), library)
    expect(services.datasets.list()).toMatchObject([{ name: 'Hands', images: 2 }])
    expect(await services.library.verify(quietTask())).toEqual([])
    services.close()
  })

  it('is refused into a folder that is not empty, or inside the library', async () => {
    await expect(fixture.services.library.backup(fixture.folder, quietTask())).rejects.toMatchObject({ code: 'file.exists' })
    await expect(fixture.services.library.backup(inLibrary('backup'), quietTask())).rejects.toMatchObject({ code: 'usage' })
  })

  it('is removed again when it is cancelled', async () => {
    const target = join(fixture.folder, 'backup')
    await expect(fixture.services.library.backup(target, quietTask(AbortSignal.abort()))).rejects.toMatchObject({ code: 'file.unwritable' })
    expect(existsSync(target)).toBe(false)
  })

  it('is not taken from a folder that is none, or one that was not finished', async () => {
    const backup = join(fixture.folder, 'backup')
    await fixture.services.library.backup(backup, quietTask())
    rmSync(join(backup, 'halfstep-backup.json'))
    await expect(restoreLibrary(backup, library, quietTask())).rejects.toMatchObject({ code: 'library.damaged' })
    await expect(restoreLibrary(fixture.folder, library, quietTask())).rejects.toMatchObject({ code: 'library.damaged' })
  })

  it('is not restored while a Halfstep has the library', async () => {
    const backup = join(fixture.folder, 'backup')
    await fixture.services.library.backup(backup, quietTask())
    fixture.services.lock()
    await expect(restoreLibrary(backup, library, quietTask())).rejects.toMatchObject({ code: 'store.locked' })
    cpSync(backup, join(fixture.folder, 'copy'), { recursive: true })
    expect(await restoreLibrary(backup, join(fixture.folder, 'elsewhere'), quietTask())).toBeNull()
  })
})
