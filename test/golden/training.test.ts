/** Training the micro Stable Diffusion model: real networks, real files, every algorithm. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAdapter } from '../../main/engine/adapters/adapter-file.ts'
import type { TrainingEvent } from '../../main/engine/protocol.ts'
import { blackBox } from '../../main/engine/rewards/black-box.ts'
import type { MixturePart } from '../../main/engine/rewards/mixture.ts'
import { CommandInbox } from '../../main/engine/training/command-inbox.ts'
import { nodeFileSystem } from '../../main/engine/training/file-system.ts'
import { parseRecipe, planOf } from '../../main/engine/training/recipe.ts'
import { RunFolder } from '../../main/engine/training/run-folder.ts'
import { openStableDiffusionTask } from '../../main/engine/training/stable-diffusion-task.ts'
import { train } from '../../main/engine/training/trainer.ts'
import { temporaryFolder } from '../unit/training/toy-run.ts'

const RECIPE = {
  version: 1,
  date: '2026-01-01T00:00:00Z',
  model: join(import.meta.dirname, 'sd15-micro'),
  sampling: { steps: 3, guidance: 3 },
  prompts: ['a hand', 'a foot'],
  batch: { prompts: 2, samplesPerPrompt: 2 },
  reward: { kind: 'onnx', path: join(import.meta.dirname, 'onnx', 'resnet.onnx'), target: { index: 0 } },
  adapter: { rank: 2 },
  updates: 1,
}

/** Trains until the end. */
async function trained(recipe: object, rewards: readonly MixturePart[] = []): Promise<{ folder: RunFolder; events: TrainingEvent[] }> {
  const parsed = parseRecipe({ ...RECIPE, ...recipe }, 'the recipe')
  const task = await openStableDiffusionTask(parsed, { device: 'cpu', rewards })
  try {
    const folder = new RunFolder(await temporaryFolder())
    await folder.create(parsed)
    const events: TrainingEvent[] = []
    await train({
      task,
      plan: planOf(parsed),
      folder,
      commands: new CommandInbox(),
      emit: (event) => events.push(event),
      whenPaused: 'end',
      deviceBytes: null,
    })
    return { folder, events }
  } finally {
    await task.dispose()
  }
}

/** Light pictures are good pictures: a plain function. */
const lightness = blackBox('lightness', ({ data, shape: [count = 1] }) =>
  Array.from({ length: count }, (_, b) => {
    const size = data.length / count
    return data.subarray(b * size, (b + 1) * size).reduce((sum, value) => sum + value, 0) / size
  }),
)

/** The recipe's own reward without weight, so that the function is all there is. */
const onlyFunctions = { reward: { ...RECIPE.reward, weight: 0 } }

describe('every algorithm trains the micro model', () => {
  const estimators: object[] = [
    { kind: 'rlr', windowLength: 1, coverage: 'zeroth-order' },
    { kind: 'rlr', windowLength: 1, windows: 2, coverage: 'importance' },
    { kind: 'rlr', windowLength: 1, coverage: 'none' },
    { kind: 'ddpo' },
    { kind: 'alignprop', depth: 2 },
    { kind: 'reinforce' },
    { kind: 'zo' },
    { kind: 'public-code' },
    { kind: 'full' },
  ]
  const named = estimators.map((estimator) => [Object.values(estimator).join(' '), estimator] as const)
  it.each(named)('%s', { timeout: 120_000 }, async (_, estimator) => {
    const { folder, events } = await trained({ estimator })
    expect(events.filter(({ type }) => type === 'warning')).toEqual([])
    expect(events.at(-1)).toMatchObject({ type: 'finished', adapterChanged: true })
    const { modules } = await readAdapter(folder.adapterFile)
    expect(modules.length).toBeGreaterThan(0)
    expect(modules.every(({ up, down }) => down.shape[0] === 2 && [...up.data, ...down.data].every(Number.isFinite))).toBe(true)
    expect(modules.some(({ up }) => up.data.some((value) => value !== 0))).toBe(true)
  })
})

describe('a reward that is a plain function', () => {
  it('trains by half order and zeroth order', { timeout: 120_000 }, async () => {
    const estimator = { kind: 'rlr', firstOrderDepth: 0, windowLength: 1, coverage: 'zeroth-order' }
    const { events } = await trained({ ...onlyFunctions, estimator }, [{ reward: lightness, weight: 1 }])
    expect(events.find(({ type }) => type === 'progress')).toMatchObject({
      parts: { lightness: expect.any(Number) as number },
      steps: expect.arrayContaining([
        expect.objectContaining({ coverage: 'half-order' }),
        expect.objectContaining({ coverage: 'zeroth-order' }),
      ]) as unknown,
    })
    expect(events.at(-1)).toMatchObject({ type: 'finished', adapterChanged: true })
  })

  it.each([{ kind: 'rlr', windowLength: 1 }, { kind: 'alignprop', depth: 1 }, { kind: 'full' }, { kind: 'public-code' }])(
    'is refused by $kind before anything starts',
    async (estimator) => {
      await expect(trained({ ...onlyFunctions, estimator }, [{ reward: lightness, weight: 1 }])).rejects.toMatchObject({
        code: 'recipe.impossible',
        message: expect.stringContaining('gradient') as string,
        nextStep: expect.stringMatching(/firstOrderDepth/) as string,
      })
    },
  )
})

describe('the run folder', () => {
  it('holds pictures of the first prompts, from the same noise at every time', { timeout: 120_000 }, async () => {
    const estimator = { kind: 'reinforce' }
    const { events } = await trained({ estimator, updates: 2, samples: { every: 1, count: 3 }, optimizer: { learningRate: 1e-30 } })
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event.files] : []))
    expect(samples.map((files) => files.length)).toEqual([3, 3])
    const [[first = ''] = [], [second = ''] = []] = samples
    expect(await readFile(second)).toEqual(await readFile(first))
  })
})

describe('an adapter', () => {
  it('is trained on from where another run left it', { timeout: 120_000 }, async () => {
    const { folder } = await trained({ estimator: { kind: 'reinforce' } })
    const recipe = parseRecipe(
      { ...RECIPE, estimator: { kind: 'reinforce' }, adapter: { rank: 2, start: folder.adapterFile } },
      'the recipe',
    )
    const task = await openStableDiffusionTask(recipe, { device: 'cpu' })
    const copy = join(folder.path, 'copy.safetensors')
    await task.exportAdapter(task.initialTheta(), copy, nodeFileSystem)
    await task.dispose()
    const matrices = async (path: string) => (await readAdapter(path)).modules.map(({ path: name, up, down }) => [name, up.data, down.data])
    expect(await matrices(copy)).toEqual(await matrices(folder.adapterFile))
  })
})
