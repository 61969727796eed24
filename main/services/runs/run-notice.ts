import type { Metric } from '../../store/metrics.ts'
import type { RewardWeight } from '../../store/reward-weights.ts'
import type { RunLogEntry } from '../../store/run-log.ts'
import type { RunSummary } from './run-summary.ts'

/** A picture of a run, where pages find it. */
export interface RunPictureView {
  readonly update: number
  readonly position: number
  readonly url: string
}

/** What pages hear of a run while it goes on. */
export type RunHappening =
  | { readonly type: 'state'; readonly summary: RunSummary }
  | { readonly type: 'progress'; readonly point: Metric; readonly timeLeft: number | null }
  | { readonly type: 'sample'; readonly update: number; readonly pictures: RunPictureView[] }
  | { readonly type: 'weights'; readonly weights: readonly RewardWeight[] }
  | { readonly type: 'log'; readonly entry: RunLogEntry }

export interface RunNotice {
  readonly run: string
  readonly event: RunHappening
}
