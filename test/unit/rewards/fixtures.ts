import type { Reward } from '../../../main/engine/rewards/reward.ts'
import type { RewardPlace } from '../../../main/engine/rewards/scoring-network.ts'
import { float32, toFloat32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { openSafetensors } from '../../../native-models/weights/safetensors.ts'
import { golden, openCases } from '../models/fixtures.ts'

export const REWARDS = golden('rewards')
const CASES = `${REWARDS}/cases.safetensors`

/** Where the golden pictures [2, 3, 40, 36] are judged. */
export function place(more: Partial<RewardPlace> = {}): RewardPlace {
  return { device: 'cpu', precision: 'float32', threads: 1, batch: 2, height: 40, width: 36, ...more }
}

export async function goldenTensor(name: string): Promise<FloatTensor> {
  return toFloat32(await (await openCases(CASES))(name))
}

export async function goldenPrompts(): Promise<string[]> {
  return JSON.parse((await openSafetensors(CASES)).metadata.get('prompts') ?? '[]') as string[]
}

/** A reward that is a plain formula: the sum of each picture's elements squared, times a factor. */
export function squares(name = 'squares', factor = 1): Reward {
  const evaluate = ({ shape, data }: FloatTensor): Float64Array => {
    const size = data.length / (shape[0] ?? 1)
    return Float64Array.from({ length: shape[0] ?? 0 }, (_, b) => factor * sum(data.subarray(b * size, (b + 1) * size)))
  }
  return {
    name,
    evaluate: (pictures) => Promise.resolve(evaluate(pictures)),
    gradient: (pictures, _prompts, weights) => {
      const size = pictures.data.length / weights.length
      const data = pictures.data.map((x, i) => 2 * factor * x * (weights[Math.floor(i / size)] ?? 0))
      return Promise.resolve({ values: evaluate(pictures), dPictures: float32(pictures.shape, data) })
    },
    dispose: () => Promise.resolve(),
  }
}

function sum(numbers: Float32Array): number {
  return numbers.reduce((total, x) => total + x * x, 0)
}

/** Pictures [values.length, 3, 1, 1] whose `squares` are the given values. */
export function picturesOf(values: readonly number[]): FloatTensor {
  return float32([values.length, 3, 1, 1], values.flatMap((value) => [Math.sqrt(value), 0, 0]))
}

/** Σ_b weight_b R_b by centred differences along one direction, and the reward's own derivative along it. */
export async function slopes(
  reward: Reward,
  pictures: FloatTensor,
  prompts: readonly string[],
  weights: Float64Array,
  direction: Float32Array,
  step: number,
): Promise<{ numeric: number; analytic: number }> {
  const at = async (t: number): Promise<number> => {
    const moved = float32(pictures.shape, pictures.data.map((x, i) => x + t * (direction[i] ?? 0)))
    return (await reward.evaluate(moved, prompts)).reduce((total, value, b) => total + value * (weights[b] ?? 0), 0)
  }
  const result = await reward.gradient?.(pictures, prompts, weights)
  const analytic = result?.dPictures.data.reduce((total, d, i) => total + d * (direction[i] ?? 0), 0) ?? NaN
  return { numeric: ((await at(step)) - (await at(-step))) / (2 * step), analytic }
}
