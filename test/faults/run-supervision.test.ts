import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import type { EngineProcess, ProcessLauncher } from '../../main/engine/process/launcher.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'

/** For updates that take a second each, on a machine that has much else to do. */
const PATIENCE = 240_000

const GOLDEN = join(import.meta.dirname, '..', 'golden')

/** The micro model's real networks, a checkpoint after every second update. */
const RECIPE = {
  version: 1,
  model: join(GOLDEN, 'sd15-micro'),
  sampling: { steps: 3, guidance: 3 },
  prompts: ['a hand'],
  batch: { samplesPerPrompt: 2 },
  estimator: { kind: 'reinforce' },
  reward: { kind: 'onnx', path: join(GOLDEN, 'onnx', 'resnet.onnx'), target: { index: 0 } },
  adapter: { rank: 2 },
  updates: 40,
  checkpoint: { every: 2, keepLast: 2 },
  samples: { every: 20, count: 1 },
}

let folder: string
let services: Services
let processes: EngineProcess[]

/** The engine as it is, with a hand on its processes. */
const launch: ProcessLauncher = (listeners) => {
  const child = forkLauncher()(listeners)
  processes.push(child)
  return child
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-supervision-'))
  processes = []
  open()
})

afterEach(() => {
  services.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A new start of the program on the same library. */
function open(): void {
  services = openServices(engineIn(launch), folder)
  // What a probe would find is not what is tested here.
  services.devices.ready = async () => ({
    device: 'cpu', available: true, reason: null, detail: null, name: null, float16: false, convTranspose: 'correct',
    memoryBytes: null, speed: null, onnxruntimeVersion: '', probedAt: '',
  })
  services.start()
}

const update = (id: string): number => services.runs.get(id, 1).summary.update
const logged = (id: string): string[] => services.runs.get(id, 1).log.map(({ kind }) => kind)

describe('a run under supervision', () => {
  it('survives the death of its engine: noticed within 10 seconds, and finished from its checkpoint', async () => {
    const { id } = await services.training.start({ name: 'Hands', goal: 'own-recipe', recipe: RECIPE })
    await vi.waitFor(() => expect(update(id)).toBeGreaterThan(4), PATIENCE)
    const killedAt = performance.now()
    processes.at(-1)!.kill()
    await vi.waitFor(() => expect(logged(id)).toContain('restarted'), { timeout: 10_000, interval: 20 })
    expect(performance.now() - killedAt).toBeLessThan(10_000)
    await vi.waitFor(() => expect(services.runs.get(id, 1).summary.state).toBe('finished'), { timeout: PATIENCE, interval: 200 })

    const { summary, metrics, log, pictures } = services.runs.get(id, 1000)
    expect(metrics.update).toEqual(Array.from({ length: RECIPE.updates }, (_, i) => i + 1))
    expect(log.find(({ message }) => /goes on from update \d+/.test(message))).toBeDefined()
    expect(pictures.map((picture) => picture.update)).toEqual([0, 20, 40])
    expect(services.adapters.get(summary.adapterId ?? '')).toMatchObject({ name: 'Hands', origin: 'run', summary: { ranks: [2] } })
    expect(services.adapters.list().find(({ id }) => id === summary.adapterId)?.preview).toBeTruthy()
  }, 4 * PATIENCE)

  it('is interrupted by closing the program, pauses and resumes', async () => {
    const { id } = await services.training.start({ name: 'Hands', goal: 'own-recipe', recipe: RECIPE })
    await vi.waitFor(() => expect(update(id)).toBeGreaterThan(2), PATIENCE)
    services.close()
    open()
    expect(services.runs.get(id, 1).summary.state).toBe('interrupted')
    services.runs.resume(id)
    await vi.waitFor(() => expect(update(id)).toBeGreaterThan(6), PATIENCE)
    services.runs.pause(id)
    await vi.waitFor(() => expect(services.runs.get(id, 1).summary.state).toBe('paused'), PATIENCE)
    expect(services.runs.get(id, 1).recipe).toMatchObject({ updates: 40, optimizer: { beta1: 0.9 } })
    services.runs.stop(id, true)
    await vi.waitFor(() => expect(services.runs.get(id, 1).summary.state).toBe('finished'), { timeout: PATIENCE, interval: 100 })
    expect(services.adapters.list().filter(({ origin }) => origin === 'run')).toHaveLength(1)
  }, 4 * PATIENCE)

  it('can be estimated before it is begun, and refused before it is queued', async () => {
    const task = { signal: new AbortController().signal, progress: () => undefined, check: () => undefined }
    const estimate = await services.training.estimate(RECIPE, task)
    expect(estimate).toMatchObject({ device: 'cpu', updates: 40, rewardParts: ['resnet'] })
    expect(estimate.totalSeconds).toBeGreaterThan(0)
    await expect(services.training.start({ name: 'x', goal: 'own-recipe', recipe: { ...RECIPE, update: 3 } }))
      .rejects.toMatchObject({ code: 'recipe.malformed', details: { key: 'update' } })
    expect(services.runs.list()).toEqual([])
  }, PATIENCE)
})
