import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { HalfstepError } from '../../engine/errors.ts'
import { ArmSummary, PairedChange } from '../../engine/protocol.ts'

export const DemoMode = z.enum(['quick', 'full'])
export type DemoMode = z.infer<typeof DemoMode>

/** A demo in figures: what is kept of the recorded full run, too. */
export const DemoSummary = z.strictObject({
  version: z.literal(1),
  mode: DemoMode,
  date: z.iso.datetime(),
  /** Processor and threads, in words. */
  machine: z.string(),
  /** Time of the updates alone, and of everything. */
  trainingSeconds: z.number(),
  seconds: z.number(),
  updates: z.int(),
  /** Pictures drawn to learn from. */
  samples: z.int(),
  before: ArmSummary,
  after: ArmSummary,
  change: PairedChange,
})
export type DemoSummary = z.infer<typeof DemoSummary>

/** JSON has no NaN, and a summary has no null. */
export function parseSummary(text: string): DemoSummary {
  return DemoSummary.parse(JSON.parse(text, (_, value: unknown) => (value === null ? NaN : value)))
}

/** A summary that was kept; null where there is none. Throws `config.malformed` for another file. */
export async function readSummary(path: string): Promise<DemoSummary | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return parseSummary(text)
  } catch {
    throw new HalfstepError('config.malformed', `${path} is no summary of a demo.`, 'Remove it, or restore it.', { file: path })
  }
}
