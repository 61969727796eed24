import { mean } from './batch-arithmetic.ts'

/**
 * Leave-one-out baseline: for each sample the mean reward of the other samples of its prompt, which its own noise did not touch,
 * so that subtracting it biases nothing. A prompt with one sample takes the mean of all others, which is as independent; a single
 * sample in all gets zero.
 *
 * @param groups which prompt each sample belongs to
 */
export function leaveOneOut(rewards: ArrayLike<number>, groups: readonly number[]): Float64Array {
  const sums = new Map<number, { total: number; count: number }>()
  let total = 0
  groups.forEach((group, i) => {
    const known = sums.get(group) ?? { total: 0, count: 0 }
    sums.set(group, { total: known.total + (rewards[i] ?? 0), count: known.count + 1 })
    total += rewards[i] ?? 0
  })
  return Float64Array.from(groups, (group, i) => {
    const reward = rewards[i] ?? 0
    const { total: own, count } = sums.get(group) ?? { total: 0, count: 0 }
    if (count > 1) return (own - reward) / (count - 1)
    return groups.length > 1 ? (total - reward) / (groups.length - 1) : 0
  })
}

/**
 * Rewards less the mean of their prompt, over its standard deviation, as DDPO normalises them. A prompt with one sample is
 * normalised among the whole batch. Rewards without spread have no advantage.
 */
export function normalisedAdvantages(rewards: ArrayLike<number>, groups: readonly number[]): Float64Array {
  const members = Map.groupBy(groups.keys(), (i) => groups[i] ?? 0)
  const everyone = [...groups.keys()]
  return Float64Array.from(groups, (group, i) => {
    const own = members.get(group) ?? []
    const compared = (own.length > 1 ? own : everyone).map((k) => rewards[k] ?? 0)
    const average = mean(compared)
    const spread = Math.sqrt(mean(compared.map((value) => (value - average) ** 2)))
    return spread > 0 ? ((rewards[i] ?? 0) - average) / spread : 0
  })
}
