import type { AdapterSlot, AdapterTarget, AdaptedLayer } from '../../../native-models/adapter-slot.ts'
import { HalfstepError } from '../errors.ts'
import { rankOf, scaleOf, type Adapter, type LoraModule } from '../adapters/lora.ts'
import { matchAdapter, type AdaptableLayer } from '../adapters/match.ts'
import { ParameterLayout } from '../adapters/parameter-layout.ts'
import type { Random } from '../random/random.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import { elementCount } from '../tensor/shape.ts'
import { float32 } from '../tensor/tensor.ts'

/** Which UNet layers are trained, and how finely. */
export interface TrainedAdapterOptions {
  readonly rank: number
  readonly alpha: number
  readonly target: (path: string, kind: AdaptedLayer) => boolean
}

/** The name of the trained slot, which leads the names of its graph inputs. */
export const TRAINED = 'trained'

/** The slot to build into a UNet for an adapter that is trained. */
export function trainedSlot({ rank, alpha, target }: TrainedAdapterOptions): AdapterSlot {
  return { name: TRAINED, target: (path, kind) => (target(path, kind) ? { rank, alpha } : undefined) }
}

/** Where the trained adapter's matrices lie in θ, for a UNet that was built with its slot. */
export function trainedLayout(targets: readonly AdapterTarget[]): ParameterLayout {
  return new ParameterLayout(targets.filter(({ slot }) => slot === TRAINED))
}

/** A uniform in ±1/√fan_in, B zero: peft's default (Kaiming uniform with a = √5), under which the adapter changes nothing yet. */
export function initialTheta(layout: ParameterLayout, random: Random): Parameters {
  const theta = new Float32Array(layout.size)
  for (const [i, { role, shape, offset }] of layout.parts.entries()) {
    if (role === 'up') continue
    const bound = 1 / Math.sqrt(elementCount(shape.slice(1)))
    const numbers = random.uniform('initialisation', [i], elementCount(shape))
    theta.set(numbers.map((number) => (2 * number - 1) * bound), offset)
  }
  return theta
}

/** θ as an adapter of its own: copies, which later updates do not touch. */
export function adapterOf(layout: ParameterLayout, theta: Parameters): Adapter {
  const matrices = layout.feeds(theta)
  const modules = targetsOf(layout).map(({ path, alpha, down, up }): LoraModule => {
    const copy = (input: string, shape: readonly number[]) => float32(shape, matrices[input]?.data.slice() ?? [])
    return { component: 'unet', path, down: copy(down.input, down.shape), up: copy(up.input, up.shape), alpha }
  })
  return { modules, metadata: {} }
}

/**
 * An adapter as θ, to train it on. One of lower rank is filled up with zeros, and another alpha is worked into B, so that θ does
 * what the adapter did. Throws `adapter.mismatch` unless it adapts just the trained layers, in a rank that fits.
 */
export function thetaOf(layout: ParameterLayout, adapter: Adapter): Parameters {
  const targets = targetsOf(layout)
  const layers = targets.map(({ path, down, up }): AdaptableLayer => {
    return { component: 'unet', path, shape: [up.shape[0] ?? 0, ...down.shape.slice(1)] }
  })
  const matches = matchAdapter(adapter, layers, { adapter: 'The adapter to go on from', model: 'the layers to be trained' })
  const modules = new Map(matches.map(({ module, layer }) => [layer.path, module]))
  const theta = new Float32Array(layout.size)
  const matrices = layout.feeds(theta)
  for (const target of targets) {
    const module = modules.get(target.path)
    if (module === undefined) {
      throw mismatch(`does not adapt ${target.path}, which is to be trained`, 'Train just the layers that it adapts.')
    }
    const rank = rankOf(module)
    if (rank > target.rank) throw mismatch(`has rank ${rank} at ${target.path}`, `Train with rank ${rank}, or reduce it with a merge.`)
    matrices[target.down.input]?.data.set(module.down.data)
    const up = matrices[target.up.input]?.data ?? new Float32Array()
    const factor = scaleOf(module) / (target.alpha / target.rank)
    for (let row = 0; row < up.length / target.rank; row++) {
      for (let k = 0; k < rank; k++) up[row * target.rank + k] = factor * module.up.data[row * rank + k]!
    }
  }
  return theta
}

function targetsOf(layout: ParameterLayout): AdapterTarget[] {
  return layout.parts.filter(({ role }) => role === 'down').map(({ target }) => target)
}

function mismatch(fault: string, nextStep: string): HalfstepError {
  return new HalfstepError('adapter.mismatch', `The adapter to go on from ${fault}.`, nextStep)
}
