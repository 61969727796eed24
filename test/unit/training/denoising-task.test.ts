import { describe, expect, it } from 'vitest'
import { Random } from '../../../main/engine/random/random.ts'
import type { Denoiser } from '../../../main/engine/rlr/denoiser.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { DenoisingTask, type Bucket, type DenoisingModel, type DenoisingSettings } from '../../../main/engine/training/denoising-task.ts'
import { NotFinite } from '../../../main/engine/training/not-finite.ts'

const SHAPE = [1, 2, 1, 2]
const SETTINGS: DenoisingSettings = {
  seed: 5, pictures: 3, accumulation: 1, prior: null, noiseOffset: 0, minSnrGamma: null, captionDropout: 0,
}

const example = (seed: number, caption: string) => ({ caption, latent: new Random(seed).normal('sample', [], SHAPE) })

/** e = θ_0 x + θ_1, so that everything has a closed form; remembers what it was asked. */
class ToyDenoising implements DenoisingModel {
  readonly parameterCount = 2
  readonly alphaBars = Float64Array.from({ length: 10 }, (_, t) => 0.95 - 0.09 * t)
  readonly predictionType = 'epsilon'
  readonly notes = []
  readonly asked: { readonly bucket: number; readonly caption: string; readonly timestep: number; x: FloatTensor | undefined }[] = []
  readonly #buckets: readonly Bucket[]

  constructor(buckets: readonly Bucket[] = [{ pictures: [1, 2, 3].map((i) => example(i, `picture ${i}`)), priors: [] }]) {
    this.#buckets = buckets
  }

  initialTheta = () => Float32Array.of(0.2, -0.1)
  buckets = () => Promise.resolve(this.#buckets)

  denoiser(bucket: number, caption: string, timestep: number): Promise<Denoiser> {
    const asked = { bucket, caption, timestep, x: undefined as FloatTensor | undefined }
    this.asked.push(asked)
    return Promise.resolve({
      parameterCount: 2,
      predict: (_, x, theta) => {
        asked.x = x
        return Promise.resolve(float32(x.shape, x.data.map((value) => theta[0]! * value + theta[1]!)))
      },
      vjp: (_, x, theta, u) => Promise.resolve({
        dx: float32(x.shape, u.data.map((value) => theta[0]! * value)),
        dTheta: u.data.reduce((sum, value, i) => Float32Array.of(sum[0]! + value * x.data[i]!, sum[1]! + value), new Float32Array(2)),
      }),
    })
  }

  exportAdapter = () => Promise.resolve()
  sample = () => Promise.resolve([])
  peakMemory = () => Promise.resolve(null)
  dispose = () => Promise.resolve()
}

/** The gradient that an update of a task hands on, and what it reports. */
async function updated(task: DenoisingTask, index = 0, theta = task.initialTheta()) {
  let gradient = new Float32Array()
  const summary = await task.update({ index, theta }, (uphill) => {
    gradient = uphill.slice()
    return Promise.resolve(theta)
  })
  return { gradient, summary }
}

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

describe('an update', () => {
  const priors = [4, 5].map((i) => example(i, `prior ${i}`))
  const buckets: Bucket[] = [{ pictures: [1, 2, 3].map((i) => example(i, `picture ${i}`)), priors }]

  it.each<[string, Partial<DenoisingSettings>]>([
    ['plain', {}], ['min-SNR weighted', { minSnrGamma: 0.7 }], ['with noise offset', { noiseOffset: 0.3 }],
    ['with priors', { prior: { pictures: 2, weight: 0.6 }, minSnrGamma: 2 }],
  ])('points against the gradient of its own loss, %s', async (_, changed) => {
    const { prior = null } = changed
    const objective = async (theta: Float32Array): Promise<number> => {
      const task = new DenoisingTask(new ToyDenoising(buckets), { ...SETTINGS, ...changed })
      const { summary: { rewards, parts } } = await updated(task, 4, theta)
      return mean(rewards) - (prior?.weight ?? 0) * (parts['prior loss'] ?? 0)
    }
    const theta = Float32Array.of(0.3, 0.1)
    const { gradient } = await updated(new DenoisingTask(new ToyDenoising(buckets), { ...SETTINGS, ...changed }), 4, theta)
    for (const i of [0, 1]) {
      const moved = (by: number) => objective(theta.map((value, k) => (k === i ? value + by : value)))
      const step = 2 ** -6
      expect(gradient[i]).toBeCloseTo((await moved(step) - await moved(-step)) / (2 * step), 4)
    }
  })

  it('reports each picture\'s loss as a negative reward, and the mean as the loss', async () => {
    const { summary } = await updated(new DenoisingTask(new ToyDenoising(), SETTINGS))
    expect(summary.rewards).toHaveLength(3)
    expect(summary.rewards.every((reward) => reward < 0)).toBe(true)
    expect(summary.parts).toEqual({ loss: -mean(summary.rewards) })
  })

  it('is the same for the same draw, and draws other noise for another', async () => {
    const once = await updated(new DenoisingTask(new ToyDenoising(), SETTINGS), 8)
    expect(await updated(new DenoisingTask(new ToyDenoising(), SETTINGS), 8)).toEqual(once)
    expect((await updated(new DenoisingTask(new ToyDenoising(), SETTINGS), 9)).gradient).not.toEqual(once.gradient)
    expect((await updated(new DenoisingTask(new ToyDenoising(), { ...SETTINGS, seed: 6 }), 8)).gradient).not.toEqual(once.gradient)
  })

  it('has each picture at timesteps of its own, all of which come up', async () => {
    const model = new ToyDenoising()
    const task = new DenoisingTask(model, SETTINGS)
    for (let index = 0; index < 100; index++) await updated(task, index)
    const counts = Array.from({ length: 10 }, (_, t) => model.asked.filter(({ timestep }) => timestep === t).length)
    // 300 draws of ten: 30 each, with a standard deviation of 5.2.
    for (const count of counts) expect(Math.abs(count - 30)).toBeLessThan(5 * 5.2)
  })

  it('leaves out the share of captions that it is to, and no other', async () => {
    const model = new ToyDenoising()
    const task = new DenoisingTask(model, { ...SETTINGS, captionDropout: 0.25 })
    for (let index = 0; index < 200; index++) await updated(task, index)
    const share = model.asked.filter(({ caption }) => caption === '').length / model.asked.length
    // 600 draws: a standard deviation of 0.018.
    expect(Math.abs(share - 0.25)).toBeLessThan(5 * 0.018)
    const always = new ToyDenoising()
    await updated(new DenoisingTask(always, { ...SETTINGS, captionDropout: 1 }))
    expect(always.asked.map(({ caption }) => caption)).toEqual(['', '', ''])
    const never = new ToyDenoising()
    await updated(new DenoisingTask(never, SETTINGS))
    expect(never.asked.map(({ caption }) => caption).sort()).toEqual(['picture 1', 'picture 2', 'picture 3'])
  })

  it('moves the mean of the noise with an offset', async () => {
    const spread = async (noiseOffset: number): Promise<number> => {
      const model = new ToyDenoising([{ pictures: [{ caption: '', latent: float32(SHAPE, [0, 0, 0, 0]) }], priors: [] }])
      const task = new DenoisingTask(model, { ...SETTINGS, noiseOffset })
      for (let index = 0; index < 400; index++) await updated(task, index)
      // The variance of ε's mean over a channel of two numbers: 1/2 without offset, 1/2 + offset² with it.
      return mean(model.asked.flatMap(({ timestep, x }) => {
        const deviation = Math.sqrt(1 - model.alphaBars[timestep]!)
        return [0, 2].map((first) => ((x!.data[first]! + x!.data[first + 1]!) / 2 / deviation) ** 2)
      }))
    }
    // 800 draws: a standard error of 5 %.
    expect(Math.abs(await spread(0) / 0.5 - 1)).toBeLessThan(0.25)
    expect(Math.abs(await spread(2) / 4.5 - 1)).toBeLessThan(0.25)
  })

  it('has noise of its own for every picture and prior', async () => {
    const zero = { caption: '', latent: float32(SHAPE, [0, 0, 0, 0]) }
    const model = new ToyDenoising([{ pictures: [zero, zero, zero], priors: [zero] }])
    await updated(new DenoisingTask(model, { ...SETTINGS, prior: { pictures: 2, weight: 1 } }))
    const noises = model.asked.map(({ timestep, x }) => (x!.data[0]! / Math.sqrt(1 - model.alphaBars[timestep]!)).toFixed(4))
    expect(new Set(noises).size).toBe(5)
  })

  it('shows the priors of the pictures\' own size', async () => {
    const other: Bucket = { pictures: [example(7, 'wide')], priors: [example(8, 'wide prior')] }
    const model = new ToyDenoising([...buckets, other])
    const task = new DenoisingTask(model, { ...SETTINGS, prior: { pictures: 2, weight: 1 } })
    for (let index = 0; index < 20; index++) {
      model.asked.length = 0
      const { summary } = await updated(task, index)
      const pictures = model.asked.slice(0, -2).map(({ caption }) => caption)
      const shown = model.asked.slice(-2).map(({ caption }) => caption)
      expect(new Set(model.asked.map(({ bucket }) => bucket)).size).toBe(1)
      expect(shown.every((caption) => (pictures.includes('wide') ? caption === 'wide prior' : /^prior/.test(caption)))).toBe(true)
      expect(summary.rewards).toHaveLength(pictures.length)
    }
  })

  it('refuses predictions that are not finite', async () => {
    const task = new DenoisingTask(new ToyDenoising(), SETTINGS)
    await expect(updated(task, 0, Float32Array.of(NaN, 0))).rejects.toThrow(NotFinite)
  })
})

it('refuses the state of another trainer', () => {
  const task = new DenoisingTask(new ToyDenoising(), SETTINGS)
  task.restore(task.state())
  expect(() => task.restore({ arrays: {}, json: { parts: [] } })).toThrow(/another trainer/)
})
