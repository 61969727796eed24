import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { TrainingEvent } from '../../engine/protocol.ts'
import { proportion, type Proportion } from '../../engine/statistics/proportion.ts'

export interface HistoryPoint {
  readonly update: number
  /** Training time until then. */
  readonly seconds: number
  /** Mean score of the update's pictures by the critic. */
  readonly score: number
}

/** The judge's rate of five fingers among a run's sample pictures. */
export interface SampleRate {
  readonly update: number
  readonly seconds: number
  readonly five: Proportion
}

/**
 * What a run's diary tells of its updates. What was made again after a kill counts once.
 * @param critic its name among the parts of the reward; the whole reward without
 */
export async function readHistory(runFolder: string, critic?: string): Promise<HistoryPoint[]> {
  const lines = (await readFile(join(runFolder, 'events.jsonl'), 'utf8').catch(() => '')).split('\n')
  const updates = new Map<number, { score: number; seconds: number }>()
  for (const line of lines) {
    const event = eventOf(line)
    if (event?.type !== 'progress') continue
    const { update, reward, parts, seconds } = event
    updates.set(update, { score: (critic === undefined ? undefined : parts[critic]) ?? reward.mean, seconds })
  }
  let elapsed = 0
  const inOrder = [...updates].toSorted(([a], [b]) => a - b)
  return inOrder.map(([update, { score, seconds }]) => ({ update, score, seconds: (elapsed += seconds) }))
}

/** Pictures of a run by the update they show: `samples/000020-3.png`. */
export async function sampleFiles(runFolder: string): Promise<Map<number, string[]>> {
  const folder = join(runFolder, 'samples')
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^\d{6,}-\d+\.png$/.test(name))
  const groups = Map.groupBy(names.toSorted(), (name) => Number.parseInt(name, 10))
  return new Map([...groups].map(([update, files]) => [update, files.map((name) => join(folder, name))]))
}

/** How many of the pictures the judge sees five fingers in. */
export async function judgeSamples(files: readonly string[]): Promise<Proportion> {
  const [{ readJudged }, { judgePicture }] = await Promise.all([
    import('../../engine/judge/read-judged.ts'),
    import('../../engine/judge/judge-picture.ts'),
  ])
  let five = 0
  for (const file of files) {
    const { fingers, wellFormed } = judgePicture(await readJudged(file))
    if (wellFormed && fingers === 5) five++
  }
  return proportion(five, files.length)
}

/** An event without its time of day; undefined for a line that a kill has torn. */
function eventOf(line: string): TrainingEvent | undefined {
  try {
    const { time: _time, ...event } = z.record(z.string(), z.unknown()).parse(JSON.parse(line))
    return TrainingEvent.safeParse(event).data
  } catch {
    return undefined
  }
}
