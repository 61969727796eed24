import type { SchedulerConfig } from '../../../native-models/checkpoint/scheduler-config.ts'
import { HalfstepError } from '../errors.ts'

/** How training timesteps are spread over a chain. */
export type TimestepOptions = Pick<SchedulerConfig, 'numTrainTimesteps' | 'timestepSpacing' | 'stepsOffset'>

/**
 * The training timesteps that a DDIM chain of `count` steps visits, noisiest first, spaced as diffusers' DDIM spaces them; with N
 * training timesteps:
 * - `leading`: i · ⌊N/count⌋ + offset
 * - `trailing`: N − 1 − i · N/count, rounded
 * - `linspace`: from N − 1 down to 0, rounded
 *
 * The offset of `leading` is lowered where it would lead past the last timestep. Throws `recipe.impossible` for a count that is
 * no whole number from 1 to N.
 */
export function ddimTimesteps(options: TimestepOptions, count: number): number[] {
  const { numTrainTimesteps: trained, timestepSpacing, stepsOffset } = options
  requireCount(count, trained)
  switch (timestepSpacing) {
    case 'leading':
      return leading(trained, count, Math.floor(trained / count), stepsOffset)
    case 'trailing':
      return trailing(trained, count)
    case 'linspace':
      return evenlySpaced(trained - 1, count).map(roundHalfToEven)
  }
}

/**
 * The timesteps of DPM-Solver++ as diffusers has them. It steps to the clean latent by itself, so `leading` and `linspace` divide
 * the schedule by one more and leave the cleanest out. Throws as `ddimTimesteps` does; `leading` takes at most N − 1 steps.
 */
export function dpmSolverTimesteps(options: TimestepOptions, count: number): number[] {
  const { numTrainTimesteps: trained, timestepSpacing, stepsOffset } = options
  requireCount(count, timestepSpacing === 'leading' ? trained - 1 : trained)
  switch (timestepSpacing) {
    case 'leading':
      return leading(trained, count + 1, Math.floor(trained / (count + 1)), stepsOffset).slice(0, -1)
    case 'trailing':
      return trailing(trained, count)
    case 'linspace':
      return evenlySpaced(trained - 1, count + 1).map(roundHalfToEven).slice(0, -1)
  }
}

/** The timesteps of Euler's method as diffusers has them: as DDIM's, but `linspace` keeps fractions. Throws as `ddimTimesteps` does. */
export function eulerTimesteps(options: TimestepOptions, count: number): number[] {
  if (options.timestepSpacing !== 'linspace') return ddimTimesteps(options, count)
  requireCount(count, options.numTrainTimesteps)
  return evenlySpaced(options.numTrainTimesteps - 1, count)
}

function leading(trained: number, count: number, stride: number, offset: number): number[] {
  const first = Math.min(offset, trained - 1 - (count - 1) * stride)
  return Array.from({ length: count }, (_, i) => (count - 1 - i) * stride + first)
}

function trailing(trained: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => roundHalfToEven(trained - (i * trained) / count) - 1)
}

/** `count` numbers from `last` down to 0, with the rounding of NumPy's linspace; a single one is 0. */
function evenlySpaced(last: number, count: number): number[] {
  const stride = last / Math.max(1, count - 1)
  return Array.from({ length: count }, (_, i) => (i === 0 && count > 1 ? last : stride * (count - 1 - i)))
}

/** As NumPy rounds: 2.5 to 2, 3.5 to 4. */
function roundHalfToEven(value: number): number {
  const rounded = Math.round(value)
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

function requireCount(count: number, most: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= most) return
  throw new HalfstepError(
    'recipe.impossible',
    `A chain of ${count} steps is not possible for this model.`,
    `Set steps to a whole number from 1 to ${most}.`,
    { key: 'steps', value: count },
  )
}
