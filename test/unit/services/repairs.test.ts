import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import type { EngineJobs } from '../../../main/engine/protocol.ts'
import { createHandlers } from '../../../main/ipc/handlers.ts'
import { createRouter } from '../../../main/ipc/router.ts'
import type { RepairWish } from '../../../main/services/studio/repairs.ts'
import { SUMMARY } from '../store/example-rows.ts'
import { examplePng } from './example-pictures.ts'
import { type LibraryFixture, openFixture, quietTask } from './library-fixture.ts'

const MASK = Buffer.from('a mask').toString('base64')
const BOX = { left: 1, top: 2, width: 3, height: 4, score: 0.9, label: 'hand' }

let fixture: LibraryFixture
let asked: (EngineJobs['model.repair']['request'] & { readonly seenMask: string }) | undefined
let failAt: number
let wish: RepairWish
let picture: string

beforeEach(async () => {
  asked = undefined
  failAt = Infinity
  fixture = openFixture({
    'model.inspect': ({ path }) => ({ ...SUMMARY, path }),
    'model.repair': async (request, { onProgress }) => {
      asked = { ...request, seenMask: readFileSync(request.mask, 'utf8') }
      for (let variant = 0; variant < request.count; variant++) {
        if (variant === failAt) throw new HalfstepError('cancelled', 'model.repair was cancelled.')
        const path = join(request.out, `0000${variant}-1.png`)
        writeFileSync(path, await examplePng(variant + 1))
        onProgress?.({ picture: variant, pictures: request.count, step: 2, steps: 2, path })
      }
      return { pictures: [], notes: ['A note.'] }
    },
    'picture.detect': ({ detector }) => {
      if (!detector.endsWith('.onnx')) throw new HalfstepError('onnx.malformed', `${detector} is no ONNX file.`, 'Choose another.')
      return { boxes: [BOX] }
    },
  })
  const { models, repairs } = fixture.services
  const model = join(fixture.folder, 'model')
  mkdirSync(model)
  const { id: modelId } = await models.add(model, quietTask())
  picture = (await repairs.takeBytes(await examplePng(0), 'portrait.png')).picture
  wish = {
    modelId, source: { picture }, mask: MASK, prompt: 'an open hand', adapters: [], count: 2, seed: 7, sampler: 'ddim', steps: 2,
    guidance: 5, strength: 0.8, feather: 4, context: null,
  }
})

afterEach(() => fixture.close())

const fileOf = (url: string): string => join(fixture.services.app.libraryFolder, url.replace('/library/', ''))

describe('pictures that are taken in', () => {
  it('are kept as they came', async () => {
    const { repairs } = fixture.services
    const taken = await repairs.takeBytes(await examplePng(0), 'portrait.png')
    expect(taken).toMatchObject({ picture, width: 24, height: 16 })
    expect(readFileSync(fileOf(taken.url)).equals(Buffer.from(await examplePng(0)))).toBe(true)
    expect(existsSync(fileOf(taken.thumbnail))).toBe(true)
  })

  it('are refused by their name when they are no pictures', async () => {
    const { repairs } = fixture.services
    const message = 'notes.png is neither a PNG, nor a JPEG, nor a WebP picture.'
    await expect(repairs.takeBytes(Buffer.from('text'), 'notes.png')).rejects.toMatchObject({ code: 'picture.malformed', message })
  })

  it('go through the contract in base64, twenty megabytes of it too', async () => {
    const router = createRouter(createHandlers(fixture.services, () => undefined))
    const base64 = Buffer.from(await examplePng(3)).toString('base64')
    expect(await router('pictures.import', { name: 'a.png', base64 })).toMatchObject({ ok: true, value: { width: 24 } })
    const garbled = await router('pictures.import', { name: 'a.png', base64: 'no base64!' })
    expect(garbled).toMatchObject({ ok: false, error: { code: 'call.invalid' } })
    const large = await router('pictures.import', { name: 'large.png', base64: 'AAAA'.repeat(5 * 2 ** 20) })
    expect(large).toMatchObject({ ok: false, error: { code: 'picture.malformed' } })
  })
})

describe('a repair', () => {
  it('keeps every variant with the picture it came from and what it was made by', async () => {
    const { repairs, studio, app } = fixture.services
    const before = readFileSync(fileOf((await repairs.takeBytes(await examplePng(0), 'portrait.png')).url))
    const { batch, seed, generations, notes } = await repairs.repair(wish, quietTask())
    expect([seed, notes, generations.map((one) => [one.seed, one.position])]).toEqual([7, ['A note.'], [[7, 0], [8, 1]]])
    expect(generations[0]).toMatchObject({
      batch, prompt: 'an open hand', source: { url: `/library/pictures/${picture}.png` },
      recipe: { model: 'model', strength: 0.8, feather: 4, source: { picture } },
    })
    expect(generations[0]!.recipe).not.toHaveProperty('mask')
    expect(asked).toMatchObject({ prompt: 'an open hand', strength: 0.8, feather: 4, count: 2, seenMask: 'a mask' })
    expect(asked).not.toHaveProperty('context')
    expect(readFileSync(fileOf(generations[0]!.source!.url)).equals(before)).toBe(true)
    expect(studio.list(0, 10).generations).toEqual(generations)
    expect(fixture.events.filter(({ name }) => name === 'studio.picture')).toHaveLength(2)
    expect(readdirSync(join(app.libraryFolder, 'incoming'))).toEqual([])
  })

  it('goes on from one of its variants', async () => {
    const { repairs } = fixture.services
    const { generations: [variant] } = await repairs.repair(wish, quietTask())
    const { generations: [again] } = await repairs.repair({ ...wish, source: { generation: variant!.id }, context: 0.5 }, quietTask())
    expect(again!.source!.url).toBe(variant!.url)
    expect([asked?.picture, asked?.context]).toEqual([fileOf(variant!.url), 0.5])
  })

  it('keeps what was drawn before a cancellation', async () => {
    failAt = 1
    await expect(fixture.services.repairs.repair(wish, quietTask())).rejects.toMatchObject({ code: 'cancelled' })
    expect(fixture.services.studio.list(0, 10).total).toBe(1)
  })

  it('asks nothing of the engine for a picture or model that is gone', async () => {
    const { repairs } = fixture.services
    for (const gone of [{ source: { picture: 'a'.repeat(64) } }, { source: { generation: 'none' } }, { modelId: 'none' }]) {
      await expect(repairs.repair({ ...wish, ...gone }, quietTask())).rejects.toMatchObject({ code: 'library.missing' })
    }
    expect(asked).toBeUndefined()
  })

  it('keeps its source from the bin while a variant needs it, and no longer', async () => {
    const { repairs, studio, bin } = fixture.services
    const { generations: [first, second] } = await repairs.repair(wish, quietTask())
    const source = fileOf(first!.source!.url)
    studio.remove(first!.id)
    await bin.empty(quietTask())
    expect([existsSync(fileOf(first!.url)), existsSync(source)]).toEqual([false, true])
    studio.remove(second!.id)
    await bin.empty(quietTask())
    expect(existsSync(source)).toBe(false)
  })
})

describe('a detector', () => {
  it('is asked about the picture, and remembered when it worked', async () => {
    const { repairs } = fixture.services
    expect(repairs.lastDetector()).toBeNull()
    await expect(repairs.detect({ picture }, '/my/notes.txt', 0.3, quietTask())).rejects.toMatchObject({ code: 'onnx.malformed' })
    expect(repairs.lastDetector()).toBeNull()
    expect(await repairs.detect({ picture }, '/my/hands.onnx', 0.3, quietTask())).toEqual([BOX])
    expect(repairs.lastDetector()).toBe('/my/hands.onnx')
  })
})
