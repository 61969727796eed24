/** What a run will need, told before it starts. */
import { HalfstepError } from '../errors.ts'
import { DEVICE_LABELS, type Device, type Recomputation } from '../protocol.ts'
import type { AlgorithmSettings } from '../rlr/algorithm.ts'
import type { ZerothOrderSettings } from '../rlr/zeroth-order.ts'
import { describeHardware } from '../runtime/hardware.ts'
import { availableMemory, totalMemory } from '../runtime/memory.ts'

/** How often an update of one batch asks for what; on average, where it is drawn. */
export interface Evaluations {
  /** Of the denoiser, guidance included. */
  readonly forwards: number
  readonly vjps: number
  /** Pictures decoded and judged, with and without a gradient. */
  readonly judgements: number
  readonly judgementGradients: number
}

/**
 * What one batch asks of the networks; the most, where the last of several importance windows is shorter than the others.
 * @param steps T @param drift whether there is a penalty on it
 */
export function evaluationsPerBatch(settings: AlgorithmSettings, steps: number, drift: boolean): Evaluations {
  const { forwards, vjps, judgements, judgementGradients } = ofAlgorithm(settings, steps)
  return { forwards: forwards + (drift ? 2 : 0), vjps: vjps + (drift ? 1 : 0), judgements, judgementGradients }
}

function ofAlgorithm(settings: AlgorithmSettings, steps: number): Evaluations {
  switch (settings.kind) {
    case 'rlr': {
      const { firstOrderDepth: depth, windowLength, windows, coverage, zerothOrder } = settings
      const rollouts = coverage === 'zeroth-order' ? rolloutsOf(zerothOrder) : 0
      return {
        forwards: steps * (1 + rollouts),
        vjps: depth + Math.min(windows * windowLength, steps - Math.max(1, depth)),
        judgements: rollouts + (depth > 0 ? 0 : 1),
        judgementGradients: depth > 0 ? 1 : 0,
      }
    }
    case 'ddpo': {
      const visits = settings.innerEpochs * (steps - 1)
      return { forwards: steps + visits, vjps: visits, judgements: 1, judgementGradients: 0 }
    }
    case 'alignprop':
      return { forwards: steps, vjps: settings.depth === 'random' ? (steps + 1) / 2 : settings.depth, judgements: 0, judgementGradients: 1 }
    case 'reinforce':
      return { forwards: steps, vjps: steps - 1, judgements: 1, judgementGradients: 0 }
    case 'zo': {
      const rollouts = 1 + rolloutsOf(settings.zerothOrder)
      return { forwards: steps * rollouts, vjps: 0, judgements: rollouts, judgementGradients: 0 }
    }
    case 'public-code':
      return { forwards: steps + settings.chainLength, vjps: 1 + settings.chainLength, judgements: 0, judgementGradients: 1 }
    case 'full':
      return { forwards: steps, vjps: steps, judgements: 0, judgementGradients: 1 }
  }
}

function rolloutsOf({ form, pairs }: ZerothOrderSettings): number {
  return form === 'antithetic' ? 2 * pairs : pairs
}

/** Seconds that one of each takes. */
export type EvaluationSeconds = { readonly [K in keyof Evaluations]: number }

/** Seconds per update from what one evaluation of each kind took. */
export function secondsPerUpdate(evaluations: Evaluations, seconds: EvaluationSeconds, accumulation: number): number {
  const { forwards, vjps, judgements, judgementGradients } = evaluations
  return (
    accumulation *
    (forwards * seconds.forwards + vjps * seconds.vjps + judgements * seconds.judgements + judgementGradients * seconds.judgementGradients)
  )
}

/**
 * Refuses a run whose weights and optimizer alone are more than the device holds.
 * @param needed bytes @param available bytes; null where the device does not tell
 * Throws `recipe.impossible`.
 */
export function refuseTooLarge(needed: number, available: number | null, device: string): void {
  if (available === null || needed <= available) return
  throw new HalfstepError(
    'recipe.impossible',
    `The model needs ${gigabytes(needed)} for its weights and the adapter alone, and the device ${device} has ${gigabytes(available)}.`,
    'Set precision to float16 on a GPU, lower adapter.rank, or choose a smaller model or another --device.',
    { key: 'model', needed, available },
  )
}

/** What an update takes at most, as far as it can be told before anything is computed. */
export interface UpdateMemory {
  /** Bytes of weights, parameters and what the optimizer keeps. */
  readonly held: number
  /** Bytes that the networks compute in. */
  readonly activations: number
}

/** A recipe key that memory goes with, and what it is set to. */
export interface MemoryKey {
  readonly key: string
  readonly value: number | string
}

/**
 * Refuses a run whose updates do not fit the device.
 * @param available bytes; null where the device does not tell @param keys what can be lowered; there is at least one
 * Throws `recipe.impossible`.
 */
export function refuseUpdateTooLarge(
  { held, activations }: UpdateMemory,
  available: number | null,
  device: Device,
  keys: readonly MemoryKey[],
): void {
  const needed = held + activations
  if (available === null || needed <= available) return
  const parts = `${gigabytes(held)} for weights and adapter, ${gigabytes(activations)} to compute gradients`
  const free = `${DEVICE_LABELS[device]} has ${gigabytes(available)}${device === 'cpu' ? ' free' : ''}`
  const named = keys.map(({ key, value }) => `${key} (now ${value})`)
  const list = [named.slice(0, -1).join(', '), ...named.slice(-1)].filter((part) => part !== '').join(' or ')
  throw new HalfstepError(
    'recipe.impossible',
    `An update needs about ${gigabytes(needed)} of memory (${parts}), and ${free}.`,
    `Lower ${list}${device === 'cpu' ? ', or close other programs' : ''}.`,
    { key: keys[0]?.key ?? '', needed, available },
  )
}

/** Memory that a run can count on, in bytes; null where the device does not tell. */
export async function availableBytes(device: Device): Promise<number | null> {
  // macOS counts only untouched pages as available, which are few on a machine that has run for a while.
  if (device === 'cpu') return process.platform === 'darwin' ? totalMemory() : availableMemory()
  return (await describeHardware(device)).memoryBytes
}

export function recomputationKey(recomputation: Recomputation): MemoryKey[] {
  return recomputation === 'attention' ? [{ key: 'recomputation', value: recomputation }] : []
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`
}
