import { z } from 'zod'
import type { LibraryDatabase } from './database.ts'

/** What one update of a run came to. */
export interface Metric {
  readonly update: number
  readonly mean: number
  readonly spread: number
  readonly min: number
  readonly max: number
  readonly gradientNorm: number
  readonly learningRate: number
  readonly seconds: number
  readonly parts: Readonly<Record<string, number>>
}

interface Row {
  readonly update_number: number
  readonly reward_mean: number
  readonly reward_spread: number
  readonly reward_min: number
  readonly reward_max: number
  readonly gradient_norm: number
  readonly learning_rate: number
  readonly seconds: number
  readonly parts: string
}

const Parts = z.record(z.string(), z.number())

/** Adds updates in one transaction; those that were made before are replaced. */
export function writeMetrics(database: LibraryDatabase, runId: string, metrics: readonly Metric[]): void {
  const insert = database.prepare(`
    INSERT OR REPLACE INTO metrics
      (run_id, update_number, reward_mean, reward_spread, reward_min, reward_max, gradient_norm, learning_rate, seconds, parts)
    VALUES (@runId, @update, @mean, @spread, @min, @max, @gradientNorm, @learningRate, @seconds, @parts)
  `)
  database.transaction(() => {
    for (const metric of metrics) insert.run({ ...metric, runId, parts: JSON.stringify(metric.parts) })
  })()
}

/** Updates after `since`, in order. */
export function readMetrics(database: LibraryDatabase, runId: string, since = 0): Metric[] {
  return database
    .prepare<[string, number], Row>('SELECT * FROM metrics WHERE run_id = ? AND update_number > ? ORDER BY update_number')
    .all(runId, since)
    .map((row) => ({
      update: row.update_number,
      mean: row.reward_mean,
      spread: row.reward_spread,
      min: row.reward_min,
      max: row.reward_max,
      gradientNorm: row.gradient_norm,
      learningRate: row.learning_rate,
      seconds: row.seconds,
      parts: Parts.parse(JSON.parse(row.parts)),
    }))
}

/** Forgets updates that a checkpoint behind them has undone. */
export function deleteMetricsAfter(database: LibraryDatabase, runId: string, update: number): void {
  database.prepare('DELETE FROM metrics WHERE run_id = ? AND update_number > ?').run(runId, update)
}

/** The first and the latest mean reward and the working time of all updates; null where there is none. */
export interface RunFigures {
  readonly firstReward: number | null
  readonly latestReward: number | null
  readonly seconds: number
}

export function readRunFigures(database: LibraryDatabase, runId: string): RunFigures {
  const row = database
    .prepare<{ runId: string }, { first: number | null; latest: number | null; seconds: number }>(`
      SELECT
        (SELECT reward_mean FROM metrics WHERE run_id = @runId ORDER BY update_number LIMIT 1) AS first,
        (SELECT reward_mean FROM metrics WHERE run_id = @runId ORDER BY update_number DESC LIMIT 1) AS latest,
        (SELECT coalesce(sum(seconds), 0.0) FROM metrics WHERE run_id = @runId) AS seconds
    `)
    .get({ runId })
  return { firstReward: row?.first ?? null, latestReward: row?.latest ?? null, seconds: row?.seconds ?? 0 }
}
