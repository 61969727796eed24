import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelSummary } from '../../../main/engine/protocol.ts'
import { ModelService } from '../../../main/services/models.ts'
import { ServiceBus } from '../../../main/services/service-events.ts'
import type { Task } from '../../../main/services/tasks.ts'
import { type LibraryDatabase, openDatabase } from '../../../main/store/database.ts'
import { SUMMARY } from '../store/example-rows.ts'
import { fakeEngine } from './fake-engine.ts'

const TASK: Task = { signal: new AbortController().signal, progress: () => undefined, check: () => undefined }

let folder: string
let database: LibraryDatabase
let found: Partial<ModelSummary>
let models: ModelService
let changes: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-models-'))
  writeFileSync(join(folder, 'hands.safetensors'), '')
  writeFileSync(join(folder, 'other.safetensors'), '')
  database = openDatabase(':memory:')
  found = {}
  changes = 0
  const bus = new ServiceBus()
  bus.listen(() => changes++)
  const engine = fakeEngine({ 'model.inspect': ({ path }) => ({ ...SUMMARY, path, ...found }) })
  models = new ModelService(database, engine, bus)
})

afterEach(() => {
  database.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('models', () => {
  it('are added where they lie, under the name of the file', async () => {
    const model = await models.add(join(folder, 'hands.safetensors'), TASK)
    expect(model).toMatchObject({ name: 'hands', path: join(folder, 'hands.safetensors'), missing: false, parameters: 10, bytes: 20 })
    expect(models.list()).toEqual([model])
    expect(changes).toBe(1)
  })

  it('are the folder when its index file is handed over', async () => {
    expect(await models.add(join(folder, 'model_index.json'), TASK)).toMatchObject({ path: folder })
  })

  it('are known once per path', async () => {
    const { id } = await models.add(join(folder, 'hands.safetensors'), TASK)
    models.rename(id, 'mine')
    expect(await models.add(join(folder, 'hands.safetensors'), TASK)).toMatchObject({ id, name: 'mine' })
    expect(models.list()).toHaveLength(1)
  })

  it('are refused with their first fault, and not kept', async () => {
    found = { faults: ['unet lacks the tensor conv_in.weight.', 'another'] }
    await expect(models.add(join(folder, 'hands.safetensors'), TASK)).rejects.toMatchObject({
      code: 'weights.missing-tensor', message: `${join(folder, 'hands.safetensors')} cannot be used: unet lacks the tensor conv_in.weight.`,
    })
    expect(models.list()).toEqual([])
  })

  it('are marked when their files are gone, until they are found again', async () => {
    const { id } = await models.add(join(folder, 'hands.safetensors'), TASK)
    rmSync(join(folder, 'hands.safetensors'))
    expect(models.list()[0]?.missing).toBe(true)
    writeFileSync(join(folder, 'hands.safetensors'), '')
    expect(models.get(id).missing).toBe(false)
  })

  it('can be told where they lie now, unless another is known there or it is of another family', async () => {
    const { id } = await models.add(join(folder, 'hands.safetensors'), TASK)
    expect(await models.relocate(id, join(folder, 'other.safetensors'), TASK)).toMatchObject({ path: join(folder, 'other.safetensors') })
    const second = await models.add(join(folder, 'hands.safetensors'), TASK)
    await expect(models.relocate(second.id, join(folder, 'other.safetensors'), TASK)).rejects.toMatchObject({ code: 'library.in-use' })
    found = { family: 'sdxl' }
    await expect(models.relocate(id, join(folder, 'third.safetensors'), TASK)).rejects.toMatchObject({ code: 'config.unsupported' })
  })

  it('go to the bin and can be added again', async () => {
    const { id } = await models.add(join(folder, 'hands.safetensors'), TASK)
    models.remove(id)
    expect(models.list()).toEqual([])
    expect((await models.add(join(folder, 'hands.safetensors'), TASK)).id).not.toBe(id)
    expect(() => models.rename('no such', 'x')).toThrow(expect.objectContaining({ code: 'library.missing' }))
  })
})
