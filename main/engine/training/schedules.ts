/** How the learning rate runs over a training run. */
export type Schedule =
  | { readonly kind: 'constant'; readonly warmUp: number }
  /** Half a cosine down to `floor` times the learning rate (Loshchilov & Hutter, SGDR, 2017, without restarts). */
  | { readonly kind: 'cosine'; readonly warmUp: number; readonly floor: number }

/**
 * The factor on the learning rate in an update: rises linearly over the first `warmUp` updates, then follows the schedule, so
 * that the last update has the floor.
 * @param update counts from 0
 * @param updates of the whole run
 */
export function learningRateFactor(schedule: Schedule, update: number, updates: number): number {
  const { warmUp } = schedule
  if (update < warmUp) return (update + 1) / (warmUp + 1)
  if (schedule.kind === 'constant') return 1
  const progress = Math.min(1, (update - warmUp) / Math.max(1, updates - 1 - warmUp))
  return schedule.floor + ((1 - schedule.floor) * (1 + Math.cos(Math.PI * progress))) / 2
}
