/**
 * One's own model, from its path to adapters that other programs read: personalised on a dozen pictures, tuned by a reward given as an
 * ONNX file. Once for a diffusers folder and once for a single file, whose tokenizer lies beside it.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import type { Task } from '../../main/services/tasks.ts'
import { drawHand } from '../e2e/hand-drawing.ts'

const GOLDEN = import.meta.dirname
const PICTURES = 12

let folder: string
let services: Services

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-own-'))
  const engine = engineIn(forkLauncher())
  services = openServices(engine, join(folder, 'library'), join(folder, 'no-starter'))
  services.devices.ready = async () => ({
    device: 'cpu', available: true, reason: null, detail: null, name: null, float16: false, convTranspose: 'correct',
    memoryBytes: null, speed: null, onnxruntimeVersion: '', probedAt: '',
  })
  services.start()
  mkdirSync(join(folder, 'pictures'))
  for (let look = 0; look < PICTURES; look++) {
    writeFileSync(join(folder, 'pictures', `${look}.png`), await drawHand({ fingers: 4 + Math.floor(look / 4), look }, 32))
    writeFileSync(join(folder, 'pictures', `${look}.txt`), `a drawn hand, look ${look % 4}`)
  }
  mkdirSync(join(folder, 'single'))
  cpSync(join(GOLDEN, 'single-file', 'sd15-shapes.safetensors'), join(folder, 'single', 'own.safetensors'))
  cpSync(join(GOLDEN, 'sd15-micro', 'tokenizer'), join(folder, 'single', 'tokenizer'), { recursive: true })
})

afterAll(() => {
  services.close()
  rmSync(folder, { recursive: true, force: true })
})

const doing = <T>(work: (task: Task) => Promise<T>): Promise<T> => services.tasks.run(undefined, 'Working', work)

/** The adapter that a run made, once it has. */
async function trained(id: string): Promise<string> {
  await vi.waitFor(() => expect(services.runs.get(id, 1).summary).toMatchObject({ state: 'finished' }), { timeout: 240_000, interval: 200 })
  return services.runs.get(id, 1).summary.adapterId ?? ''
}

describe.each([
  ['a diffusers folder', () => join(GOLDEN, 'sd15-micro'), 'diffusers'],
  ['a single file', () => join(folder, 'single', 'own.safetensors'), 'single-file'],
] as const)('with a model that is %s', { timeout: 300_000 }, (_kind, path, layout) => {
  it('learns a dozen pictures, is tuned by a reward from there, and its adapter is read back in both formats', async () => {
    const model = await doing((task) => services.models.add(path(), task))
    expect(model.summary).toMatchObject({ layout, family: 'sd1' })
    expect(model.summary.problems.filter((problem) => problem.includes('token'))).toEqual([])

    const { id: datasetId } = services.datasets.create(`Pictures for ${layout}`)
    const imported = await doing((task) => services.datasets.import(datasetId, [join(folder, 'pictures')], task))
    expect(imported).toMatchObject({ added: PICTURES, captions: PICTURES, skipped: [] })
    const style = await services.training.draft({ goal: 'teach-style', modelId: model.id, effort: 'quick', datasetId })
    const personalised = await trained((await services.training.start({
      name: 'Personal', goal: 'teach-style',
      recipe: { ...style, updates: 3, schedule: { kind: 'constant' }, samples: { every: null } },
    })).id)

    const critic = { kind: 'onnx', path: join(GOLDEN, 'onnx', 'resnet.onnx'), target: { index: 0 } }
    const { id: rewardId } = await services.rewards.save({ name: `Critic of ${layout}`, spec: critic, notes: '' })
    const tuning = await services.training.draft({
      goal: 'tune-to-taste', modelId: model.id, effort: 'quick', promptsKey: 'scenes', rewardId, startAdapterId: personalised,
    })
    expect(tuning).toMatchObject({
      trainer: 'rlr', estimator: { kind: 'rlr' }, adapter: { start: expect.stringContaining('.safetensors') },
    })
    const tuned = await trained((await services.training.start({
      name: 'Tuned', goal: 'tune-to-taste',
      recipe: {
        ...tuning, updates: 2, sampling: { steps: 3 }, schedule: { kind: 'constant' }, samples: { every: null },
        batch: { prompts: 1, samplesPerPrompt: 2 },
      },
    })).id)
    const { summary } = services.adapters.get(tuned)
    for (const format of ['kohya', 'peft'] as const) {
      const target = join(folder, `${layout}-${format}.safetensors`)
      await doing((task) => services.adapters.export(tuned, { format, path: target }, task))
      const back = await doing((task) => services.adapters.import(target, task))
      expect(back.summary).toMatchObject({ format, parameters: summary.parameters, modules: summary.modules, ranks: summary.ranks })
    }
  })
})

describe('a single file without its tokenizer', () => {
  it('says that its vocabulary does not fit, and what to put beside it', async () => {
    const model = await doing((task) => services.models.add(join(GOLDEN, 'single-file', 'sd15-shapes.safetensors'), task))
    expect(model.summary.problems.join(' ')).toMatch(/knows 1024 tokens.*49408.*`tokenizer`.*beside the file/)
  })
})
