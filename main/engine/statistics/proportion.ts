/** A share of a count of trials with its 95 % confidence interval. */
export interface Proportion {
  readonly successes: number
  readonly trials: number
  /** successes / trials; NaN of none. */
  readonly share: number
  readonly low: number
  readonly high: number
}

/** The 97.5 % quantile of the standard normal distribution. */
const Z = 1.959963984540054

/**
 * Wilson's score interval: every share p whose distance to the observed p̂ is at most z standard errors √(p(1 − p)/n), which is
 * (p̂ + z²/2n ± z √(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n) (Wilson 1927). It holds near 0 and 1 as well.
 * Throws RangeError for counts that are no counts.
 */
export function proportion(successes: number, trials: number): Proportion {
  if (!Number.isInteger(successes) || !Number.isInteger(trials) || successes < 0 || successes > trials) {
    throw new RangeError(`${successes} of ${trials} is no share`)
  }
  if (trials === 0) return { successes, trials, share: NaN, low: 0, high: 1 }
  const share = successes / trials
  const shrink = 1 + Z ** 2 / trials
  const middle = (share + Z ** 2 / (2 * trials)) / shrink
  const half = (Z / shrink) * Math.sqrt((share * (1 - share)) / trials + Z ** 2 / (4 * trials ** 2))
  // Where nothing or everything succeeded the bound is exactly 0 or 1, up to rounding.
  return { successes, trials, share, low: successes === 0 ? 0 : middle - half, high: successes === trials ? 1 : middle + half }
}
