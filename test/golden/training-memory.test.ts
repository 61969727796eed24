/** What training says about its memory, on the micro model: the estimate itself, refusals before it starts, and needing less. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import * as memory from '../../main/engine/runtime/memory.ts'
import { float32 } from '../../main/engine/tensor/tensor.ts'
import { parseDenoisingRecipe } from '../../main/engine/training/denoising-recipe.ts'
import { openDenoisingTask } from '../../main/engine/training/open-denoising-task.ts'
import { parseRecipe } from '../../main/engine/training/recipe.ts'
import { openStableDiffusionTask } from '../../main/engine/training/stable-diffusion-task.ts'
import type { TrainingTask } from '../../main/engine/training/training-task.ts'
import { plain } from '../unit/dataset/pictures.ts'
import { relativeError } from '../unit/models/fixtures.ts'

vi.mock('../../main/engine/runtime/memory.ts', { spy: true })
afterEach(() => void vi.mocked(memory.availableMemory).mockReset())

const MODEL = join(import.meta.dirname, 'sd15-micro')
const REWARDED = {
  version: 1,
  model: MODEL,
  sampling: { steps: 3, guidance: 3 },
  prompts: ['a hand', 'a foot'],
  batch: { prompts: 2, samplesPerPrompt: 2 },
  estimator: { kind: 'full' },
  reward: { kind: 'onnx', path: join(import.meta.dirname, 'onnx', 'resnet.onnx'), target: { index: 0 } },
  adapter: { rank: 2 },
  updates: 1,
}
let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'halfstep-memory-'))
  for (const [name, width] of [['red', 128], ['wide', 512]] as const) {
    await plain(width, 128, { r: 200, g: 30, b: 90 }).toFile(join(scratch, `${name}.png`))
    await writeFile(join(scratch, `${name}.txt`), `a ${name} picture`)
  }
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const rewarded = (changes: object = {}): Promise<TrainingTask> =>
  openStableDiffusionTask(parseRecipe({ ...REWARDED, ...changes }, 'it'), { device: 'cpu' })

const supervised = (changes: object = {}): Promise<TrainingTask> => {
  const dataset = { folder: scratch, largestAspect: 4 }
  const recipe = { version: 1, trainer: 'denoising', model: MODEL, dataset, adapter: { rank: 2 }, updates: 1 }
  return openDenoisingTask(parseDenoisingRecipe({ ...recipe, ...changes }, 'it'), { device: 'cpu', cache: join(scratch, 'cache') })
}

describe('the estimate of a gradient', () => {
  const onLinux = it.runIf(process.platform === 'linux')
  onLinux.each([
    ['unet', 32, 2, 'blocks'],
    ['unet', 64, 1, 'attention'],
    ['decoder', 24, 1, 'blocks'],
    ['decoder', 32, 1, 'attention'],
  ] as const)('of the %s, side %d, batch %d, recomputing %s, is within a factor of 1.5', { timeout: 120_000 }, async (...args) => {
    const program = join(import.meta.dirname, 'network-memory.ts')
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, ...args.map(String)])
    const { told, measured } = JSON.parse(stdout) as { told: number; measured: number }
    expect(told / measured, `${told} of ${measured}`).toBeGreaterThan(1 / 1.5)
    expect(told / measured, `${told} of ${measured}`).toBeLessThan(1.5)
  })
})

describe('a run whose updates do not fit', () => {
  const free = (bytes: number) => vi.mocked(memory.availableMemory).mockReturnValue(bytes)

  it('is refused before anything starts, with figures and the keys to lower', async () => {
    free(20e6)
    await expect(rewarded()).rejects.toMatchObject({
      code: 'recipe.impossible',
      message: expect.stringMatching(/^An update needs about .* GB of memory \(.*\), and the CPU has 0\.0200 GB free\.$/) as string,
      nextStep: expect.stringMatching(
        /^Lower batch\.samplesPerPrompt \(now 2\), batch\.prompts \(now 2\), sampling\.width \(now 128\) or sampling\.height \(now 128\)/,
      ) as string,
      details: { available: 20e6, needed: expect.any(Number) as number },
    })
    await expect(supervised({ recomputation: 'attention' })).rejects.toMatchObject({
      code: 'recipe.impossible',
      nextStep: expect.stringMatching(
        /^Lower dataset\.resolution \(now 128\), dataset\.openSizes \(now 2\) or recomputation \(now attention\)/,
      ) as string,
    })
  })

  it('fits when what is named is lowered', async () => {
    const needed = async (changes: object): Promise<number> => {
      free(1)
      const refusal = await rewarded(changes).then(() => undefined, (error: unknown) => error as { details: { needed: number } })
      return refusal?.details.needed ?? 0
    }
    const whole = await needed({ recomputation: 'attention' })
    const smaller = await needed({ recomputation: 'attention', batch: { prompts: 1, samplesPerPrompt: 2 } })
    const recomputed = await needed({ recomputation: 'blocks' })
    expect(smaller).toBeLessThan(whole)
    expect(recomputed).toBeLessThan(whole)
    free(recomputed)
    await (await rewarded({ recomputation: 'blocks' })).dispose()
    await expect(rewarded({ recomputation: 'attention' })).rejects.toMatchObject({ code: 'recipe.impossible' })
  })
})

describe('a task that is to need less memory', () => {
  const gradientOf = async (task: TrainingTask): Promise<Float32Array> => {
    const theta = task.initialTheta().map((value, i) => value + 0.02 * Math.sin(i))
    let gradient = new Float32Array()
    await task.update({ index: 1, theta }, async (uphill) => {
      gradient = uphill.slice()
      return theta
    })
    return gradient
  }

  const same = (a: Float32Array, b: Float32Array) =>
    expect(relativeError(float32([a.length], a), float32([b.length], b))).toBeLessThan(1e-4)

  it('takes half of the samples at a time and gives the same gradient up to rounding', { timeout: 120_000 }, async () => {
    const task = await rewarded({ recomputation: 'attention' })
    const before = await gradientOf(task)
    expect(await task.needLess?.()).toBe('blocks recomputed and 2 of 4 samples at a time')
    same(await gradientOf(task), before)
    await task.dispose()
  })

  it('has nothing left to save when single samples go through recomputed blocks', async () => {
    const single = { batch: { prompts: 1, samplesPerPrompt: 1 }, estimator: { kind: 'full' } }
    const task = await rewarded({ ...single, recomputation: 'blocks' })
    expect(await task.needLess?.()).toBeUndefined()
    await task.dispose()
    const kept = await rewarded({ ...single, recomputation: 'attention' })
    expect(await kept.needLess?.()).toBe('blocks recomputed')
    await kept.dispose()
  })

  it('keeps the networks of one picture size, and gives the same gradient up to rounding', { timeout: 120_000 }, async () => {
    const task = await supervised({ recomputation: 'attention' })
    const before = await gradientOf(task)
    expect(await task.needLess?.()).toBe('blocks recomputed and the networks of one picture size at a time')
    same(await gradientOf(task), before)
    await task.dispose()
    const lean = await supervised({ recomputation: 'blocks', dataset: { folder: scratch, openSizes: 1 } })
    expect(await lean.needLess?.()).toBeUndefined()
    await lean.dispose()
  })
})
