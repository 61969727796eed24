/** A chain small enough to train in milliseconds: two numbers per latent, a linear denoiser, a quadratic reward. */
import type { ChainModel } from '../../../main/engine/training/chain-task.ts'
import { chainTask } from '../../../main/engine/training/chain-task.ts'
import type { TrainingTask } from '../../../main/engine/training/training-task.ts'
import { writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { createAlgorithm, type AlgorithmSettings } from '../../../main/engine/rlr/algorithm.ts'
import type { Denoiser } from '../../../main/engine/rlr/denoiser.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'

const WIDTH = 2
const BATCH = 4
/** kx, ke, σ of four steps, the last one without noise. */
const CHAIN = [
  [0.9, 0.5, 0.3],
  [0.9, 0.5, 0.25],
  [0.95, 0.4, 0.2],
  [1, 0.4, 0],
].map(([kx = 0, ke = 0, sigma = 0]) => ({ kx, ke, sigma }))
const TARGET = [1.5, -0.5]

export const TOY_ALGORITHM: Extract<AlgorithmSettings, { readonly kind: 'rlr' }> = {
  kind: 'rlr',
  firstOrderDepth: 1,
  windowLength: 2,
  windows: 1,
  coverage: 'zeroth-order',
  proposal: { kind: 'gradient-norm', temperature: 1 },
  zerothOrder: { form: 'antithetic', mu: 0.05, pairs: 1 },
  firstOrderWeight: 1,
  baseline: 'learned',
}

export interface ToyOptions {
  readonly algorithm?: AlgorithmSettings
  readonly seed?: number
  readonly drift?: number
  /** Replaces R(x_0) of the batch with this index. */
  readonly spoil?: (rewards: Float64Array, index: number) => Float64Array
  /** Waits before each batch. */
  readonly pause?: () => Promise<void>
}

/** e = A x + b with θ = (A row by row, b). */
const denoiser: Denoiser = {
  parameterCount: WIDTH * WIDTH + WIDTH,
  predict: async (_, x, theta) => {
    const data = x.data.map((_value, i) => {
      const row = i % WIDTH
      const sample = i - row
      let sum = theta[WIDTH * WIDTH + row]!
      for (let k = 0; k < WIDTH; k++) sum += theta[row * WIDTH + k]! * x.data[sample + k]!
      return sum
    })
    return float32(x.shape, data)
  },
  vjp: async (_, x, theta, u) => {
    const dTheta = new Float32Array(theta.length)
    const dx = new Float32Array(x.data.length)
    u.data.forEach((value, i) => {
      const row = i % WIDTH
      const sample = i - row
      dTheta[WIDTH * WIDTH + row]! += value
      for (let k = 0; k < WIDTH; k++) {
        dTheta[row * WIDTH + k]! += value * x.data[sample + k]!
        dx[sample + k]! += theta[row * WIDTH + k]! * value
      }
    })
    return { dx: float32(x.shape, dx), dTheta }
  },
}

interface ToyState {
  readonly batches: number
  readonly weight: number
}

const UNTOUCHED: ToyState = { batches: 0, weight: 1 }

class ToyModel implements ChainModel {
  readonly parameterCount = denoiser.parameterCount
  readonly rewardParts = ['near']
  readonly #random: Random
  readonly #options: ToyOptions
  /** Counts the batches, so that there is a state of the model's own, and the reward's weight. */
  #state: ToyState = UNTOUCHED

  constructor(options: ToyOptions) {
    this.#options = options
    this.#random = new Random(options.seed ?? 7)
  }

  initialTheta(): Float32Array {
    return this.#random.normal('initialisation', [], [this.parameterCount]).data.map((value) => 0.1 * value)
  }

  async batch({ index, theta }: { readonly index: number; readonly theta: Float32Array }) {
    await this.#options.pause?.()
    const shape = [BATCH, WIDTH]
    let near = 0
    const judge = (x0: FloatTensor): Float64Array => {
      const rewards = Float64Array.from(
        { length: BATCH },
        (_, b) => -this.#state.weight * TARGET.reduce((sum, target, k) => sum + (x0.data[b * WIDTH + k]! - target) ** 2, 0),
      )
      near = rewards.reduce((sum, value) => sum + value, 0) / BATCH
      return this.#options.spoil?.(rewards, index) ?? rewards
    }
    return {
      context: {
        denoiser,
        coefficients: CHAIN,
        groups: [0, 0, 1, 1],
        theta,
        random: this.#random,
        update: index,
        noise: {
          start: () => this.#random.normal('startingNoise', [index], shape),
          step: (position: number) => this.#random.normal('stepNoise', [index, position], shape),
        },
        reward: {
          value: async (x0: FloatTensor) => judge(x0),
          gradient: async (x0: FloatTensor, weights: Float64Array) => ({
            values: judge(x0),
            dx0: float32(
              shape,
              x0.data.map((value, i) => -2 * this.#state.weight * weights[Math.floor(i / WIDTH)]! * (value - TARGET[i % WIDTH]!)),
            ),
          }),
        },
      },
      finish: () => {
        this.#state = { ...this.#state, batches: this.#state.batches + 1 }
        return { near }
      },
    }
  }

  setRewardWeight(_: string, weight: number): void {
    this.#state = { ...this.#state, weight }
  }

  state(): unknown {
    return this.#state
  }

  restore(state: unknown): void {
    this.#state = state === null ? UNTOUCHED : (state as ToyState)
  }

  async exportAdapter(theta: Float32Array, path: string, files: Parameters<ChainModel['exportAdapter']>[2]): Promise<void> {
    await writeSafetensors(path, [['theta', float32([theta.length], theta)]], {}, files)
  }

  sample(): Promise<string[]> {
    return Promise.resolve([])
  }

  estimate() {
    return Promise.resolve({ memoryBytes: null, secondsPerUpdate: 0.001 })
  }

  peakMemory(): Promise<null> {
    return Promise.resolve(null)
  }

  dispose(): Promise<void> {
    return Promise.resolve()
  }
}

export function toyTask(options: ToyOptions = {}): TrainingTask {
  return chainTask(new ToyModel(options), createAlgorithm(options.algorithm ?? TOY_ALGORITHM), {
    weight: options.drift ?? 0,
    measure: 'prediction',
  })
}
