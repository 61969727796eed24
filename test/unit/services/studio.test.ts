import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import type { EngineJobs } from '../../../main/engine/protocol.ts'
import type { GenerationWish } from '../../../main/services/studio/studio.ts'
import { SUMMARY } from '../store/example-rows.ts'
import { examplePng } from './example-pictures.ts'
import { type LibraryFixture, openFixture, quietTask } from './library-fixture.ts'

let fixture: LibraryFixture
let asked: EngineJobs['model.generate']['request'] | undefined
let failAt: number
let wish: GenerationWish

beforeEach(async () => {
  asked = undefined
  failAt = Infinity
  fixture = openFixture({
    'model.inspect': ({ path }) => ({ ...SUMMARY, path }),
    'model.generate': async (request, { onProgress }) => {
      asked = request
      const pictures = request.prompts.length * (request.count ?? 1)
      for (let picture = 0; picture < pictures; picture++) {
        if (picture === failAt) throw new HalfstepError('cancelled', 'model.generate was cancelled.')
        const path = join(request.out, `${picture}.png`)
        writeFileSync(path, await examplePng(picture))
        onProgress?.({ picture, pictures, step: 2, steps: 2, path })
      }
      return { pictures: [], notes: ['A note.'] }
    },
  })
  const model = join(fixture.folder, 'model')
  mkdirSync(model)
  const { id: modelId } = await fixture.services.models.add(model, quietTask())
  wish = { modelId, prompts: ['a hand', 'a foot'], adapters: [], count: 2, seed: 7, sampler: 'ddim', steps: 2, guidance: 5 }
})

afterEach(() => fixture.close())

describe('the studio', () => {
  it('makes pictures and keeps each with what it was made from', async () => {
    const { studio, app } = fixture.services
    const { batch, seed, generations, notes } = await studio.generate(wish, quietTask())
    expect([seed, notes]).toEqual([7, ['A note.']])
    expect(generations.map(({ prompt, seed: own, position }) => [prompt, own, position]))
      .toEqual([['a hand', 7, 0], ['a hand', 8, 1], ['a foot', 7, 2], ['a foot', 8, 3]])
    expect(generations[0]).toMatchObject({ batch, width: 24, height: 16, recipe: { model: 'model', prompts: ['a hand'], steps: 2 } })
    expect(existsSync(join(app.libraryFolder, generations[0]!.thumbnail.replace('/library/', '')))).toBe(true)
    expect(studio.list(0, 2)).toEqual({ total: 4, generations: generations.slice(0, 2) })
    expect(studio.list(3, 2).generations).toEqual(generations.slice(3))
    expect(fixture.events.filter(({ name }) => name === 'studio.picture')).toHaveLength(4)
    expect(readdirSync(join(app.libraryFolder, 'incoming'))).toEqual([])
  })

  it('chooses a seed where none is given, and says which', async () => {
    const { seed: _seed, ...seedless } = wish
    const { seed } = await fixture.services.studio.generate(seedless, quietTask())
    expect(asked?.seed).toBe(seed)
  })

  it('hands templates of its own over as files, by value or by key', async () => {
    let held: unknown
    const own = openFixture({
      'template.builtIn': () => [],
      'template.check': ({ template }) => ({ template: { ...(template as object) } }),
      'model.inspect': ({ path }) => ({ ...SUMMARY, path }),
      'model.generate': ({ template }) => {
        held = JSON.parse(readFileSync(template?.source ?? '', 'utf8'))
        return { pictures: [], notes: [] }
      },
    })
    const model = await own.services.models.add(own.folder, quietTask())
    await own.services.studio.generate({ ...wish, modelId: model.id, template: { use: { version: 1 }, slots: {} } }, quietTask())
    expect(held).toEqual({ version: 1 })
    const { key } = await own.services.templates.save({ version: 1, name: 'Hands of mine' })
    await own.services.studio.generate({ ...wish, modelId: model.id, template: { use: key, slots: {} } }, quietTask())
    expect(held).toEqual({ version: 1, name: 'Hands of mine' })
    own.close()
  })

  it('keeps what was made before a cancellation', async () => {
    failAt = 3
    await expect(fixture.services.studio.generate(wish, quietTask())).rejects.toMatchObject({ code: 'cancelled' })
    expect(fixture.services.studio.list(0, 10).total).toBe(3)
    expect(readdirSync(join(fixture.services.app.libraryFolder, 'incoming'))).toEqual([])
  })

  it('asks nothing of the engine for a model or adapter that is gone', async () => {
    const { studio } = fixture.services
    await expect(studio.generate({ ...wish, modelId: 'none' }, quietTask())).rejects.toMatchObject({ code: 'library.missing' })
    const adapters = [{ id: 'none', strength: 1 }]
    await expect(studio.generate({ ...wish, adapters }, quietTask())).rejects.toMatchObject({ code: 'library.missing' })
    expect(asked).toBeUndefined()
  })
})
