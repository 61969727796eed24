/** Supervised training of the micro model on a few pictures, from recipe to adapter. */
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TrainingEvent, type TrainingOutcome } from '../../main/engine/protocol.ts'
import { CommandInbox } from '../../main/engine/training/command-inbox.ts'
import { parseDenoisingRecipe } from '../../main/engine/training/denoising-recipe.ts'
import { openDenoisingTask } from '../../main/engine/training/open-denoising-task.ts'
import { openRun } from '../../main/engine/training/open-run.ts'
import { parseRecipe, planOf } from '../../main/engine/training/recipe.ts'
import { openStableDiffusionTask } from '../../main/engine/training/stable-diffusion-task.ts'
import { train } from '../../main/engine/training/trainer.ts'
import type { TrainingTask } from '../../main/engine/training/training-task.ts'
import { GOLDEN } from './halfstep.ts'

let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'halfstep-denoising-'))
  const pictures = { 'red.png': [128, 128], 'blue.png': [100, 110], 'wide.png': [400, 100], 'tall.jpg': [60, 300] } as const
  for (const [i, [name, [width, height]]] of Object.entries(pictures).entries()) {
    const background = { r: 60 * i, g: 255 - 60 * i, b: 128 }
    await sharp({ create: { width, height, channels: 3, background } }).toFile(join(scratch, name))
    await writeFile(join(scratch, name.replace(/\..+/, '.txt')), `a plain picture, number ${i}`)
  }
  await writeFile(join(scratch, 'broken.png'), 'no picture')
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const recipeOf = (changes: Readonly<Record<string, unknown>> = {}) => ({
  version: 1, trainer: 'denoising', model: join(GOLDEN, 'sd15-micro'), seed: 3, date: '2025-01-01T00:00:00.000Z', threads: 1,
  dataset: { folder: scratch },
  loss: { noiseOffset: 0.05 },
  batch: { pictures: 2 },
  adapter: { rank: 2, targets: ['attention', 'convolutions'] },
  optimizer: { learningRate: 5e-3 },
  updates: 6,
  checkpoint: { every: 2, keepLast: 2 },
  ...changes,
})

const opened = (changes?: Readonly<Record<string, unknown>>): Promise<TrainingTask> =>
  openDenoisingTask(parseDenoisingRecipe(recipeOf(changes), 'The recipe'), { device: 'cpu', cache: join(scratch, 'no', 'cache') })

/** Mean loss and mean uphill gradient over some draws. */
async function probe(task: TrainingTask, theta: Float32Array, draws: readonly number[]) {
  const gradient = new Float64Array(task.parameterCount)
  let loss = 0
  for (const index of draws) {
    const { parts } = await task.update({ index, theta }, (uphill) => {
      uphill.forEach((value, i) => (gradient[i] = gradient[i]! + value / draws.length))
      return Promise.resolve(theta)
    })
    loss += (parts.loss ?? NaN) / draws.length
  }
  return { loss, gradient }
}

interface Run {
  readonly folder: string
  readonly recipe?: unknown
  /** Update after which to pause. */
  readonly pauseAt?: number
}

async function run({ folder, recipe, pauseAt }: Run): Promise<{ readonly outcome: TrainingOutcome; readonly events: TrainingEvent[] }> {
  const { folder: runFolder, recipe: complete, begin } = await openRun({ folder, recipe })
  if (complete.trainer !== 'denoising') throw new Error('the recipe is for another trainer')
  const task = await openDenoisingTask(complete, { device: 'cpu', cache: runFolder.latentsFile })
  const commands = new CommandInbox()
  const events: TrainingEvent[] = []
  const emit = (event: TrainingEvent): void => {
    events.push(TrainingEvent.parse(event))
    if (event.type === 'progress' && event.update === pauseAt) commands.push({ type: 'pause' })
  }
  const release = await begin()
  try {
    const plan = planOf(complete)
    const outcome = await train({ task, plan, folder: runFolder, commands, emit, whenPaused: 'end', deviceBytes: null })
    return { outcome, events }
  } finally {
    await release()
    await task.dispose()
  }
}

describe('supervised training of the micro model', { timeout: 180_000 }, () => {
  it('has the gradient of its own loss, against centred differences', async () => {
    const loss = { noiseOffset: 0.1, minSnrGamma: 2, captionDropout: 0.5 }
    const task = await opened({ dataset: { folder: scratch, largestAspect: 4 }, loss })
    try {
      // B is zero at first, and A has no gradient then.
      const theta = task.initialTheta().map((value, i) => value + 0.05 * Math.sin(i))
      const { gradient } = await probe(task, theta, [0])
      const largest = [...gradient.keys()].sort((a, b) => Math.abs(gradient[b]!) - Math.abs(gradient[a]!))
      for (const i of [largest[0]!, largest[10]!, largest[100]!]) {
        const step = 2 ** -7
        const at = async (by: number) => (await probe(task, theta.map((value, k) => (k === i ? value + by : value)), [0])).loss
        const slope = (await at(step) - await at(-step)) / (2 * step)
        expect(Math.abs(slope + gradient[i]!)).toBeLessThan(0.01 * Math.abs(slope))
      }
    } finally {
      await task.dispose()
    }
  })

  it('lowers the loss, says what it skipped and writes an adapter that the reward trainer goes on from', async () => {
    const folder = join(scratch, 'long')
    const recipe = recipeOf({ updates: 30, samples: { every: 30, count: 1, steps: 2 } })
    const { outcome, events } = await run({ folder, recipe })
    expect(outcome).toMatchObject({ outcome: 'finished', update: 30 })
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
    expect(warnings).toEqual([`${scratch}: broken.png is neither a PNG, nor a JPEG, nor a WebP picture.`])
    const samples = events.flatMap((event) => (event.type === 'sample' ? event.files : []))
    expect(samples).toHaveLength(1)
    expect(await sharp(samples[0]).metadata()).toMatchObject({ format: 'png', width: 128, height: 128 })
    expect(events[0]).toMatchObject({ type: 'started', estimate: { secondsPerUpdate: expect.any(Number) as number } })

    const adapter = join(folder, 'adapter.safetensors')
    const trained = { ...recipe.adapter, start: adapter }
    const [before, after] = [await opened(), await opened({ adapter: trained })]
    try {
      const draws = Array.from({ length: 6 }, (_, i) => 1000 + i)
      const losses = [(await probe(before, before.initialTheta(), draws)).loss, (await probe(after, after.initialTheta(), draws)).loss]
      expect(losses[1]).toBeLessThan(0.9 * losses[0]!)
    } finally {
      await before.dispose()
      await after.dispose()
    }
    const rlr = parseRecipe({
      version: 1, model: recipe.model, threads: 1, adapter: trained, updates: 1, sampling: { steps: 4 }, prompts: ['a plain picture'],
      estimator: { kind: 'rlr', windowLength: 1 },
      reward: { kind: 'onnx', path: join(GOLDEN, 'onnx', 'resnet.onnx'), target: { index: 0 } },
    }, 'The recipe')
    const next = await openStableDiffusionTask(rlr, { device: 'cpu' })
    const continued = next.initialTheta()
    await next.dispose()
    // B is not zero any more.
    expect(continued).toEqual(after.initialTheta())
    expect(continued).not.toEqual(before.initialTheta())
  })

  it('continues exactly after pauses, with latents from the cache or without', async () => {
    const prior = { folder: scratch, caption: 'anything', weight: 0.5 }
    const dataset = { folder: scratch, largestAspect: 4, openSizes: 2 }
    const recipe = recipeOf({ prior, updates: 4, dataset, ema: { decay: 0.5, export: false } })
    const [straight, broken] = [join(scratch, 'straight'), join(scratch, 'broken')]
    await run({ folder: straight, recipe })
    expect((await run({ folder: broken, recipe, pauseAt: 1 })).outcome.outcome).toBe('paused')
    const cache = join(broken, 'latents.safetensors')
    const [written, bytes] = [await stat(cache), await readFile(cache)]
    expect((await run({ folder: broken, pauseAt: 3 })).outcome.outcome).toBe('paused')
    expect((await stat(cache)).mtimeMs).toBe(written.mtimeMs)
    await truncate(cache, bytes.length - 100)
    expect((await run({ folder: broken })).outcome.outcome).toBe('finished')
    expect(await readFile(cache)).toEqual(bytes)
    expect(await readFile(join(broken, 'adapter.safetensors'))).toEqual(await readFile(join(straight, 'adapter.safetensors')))
    const files = ['adapter.safetensors', 'checkpoints', 'events.jsonl', 'latents.safetensors', 'recipe.json', 'samples']
    expect((await readdir(broken)).sort()).toEqual(files)
  })
})
