/** Results of the parts of a comparison, one file each, so that it can be made in pieces and merged. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { EstimatorFigures } from '../../../main/engine/protocol.ts'

export const RESULTS = path.join(import.meta.dirname, '../results/rlr')

/** NaN where there was nothing to measure. */
const Figure = z.number().or(z.nan())

/** What the judge and the critic saw at one point of a run. */
export const RunPoint = z.strictObject({
  updates: z.int(),
  /** Of the network, for single samples: a forward pass counts 1, a VJP 2. */
  evaluations: z.number(),
  /** Of the processor, in training, all threads together. */
  seconds: z.number(),
  five: Figure,
  score: Figure,
  agreement: Figure,
  wellFormed: Figure,
  background: Figure,
  diversity: Figure,
})
export type RunPoint = z.infer<typeof RunPoint>

/** One run of one method; the first point is the model as it was. */
export const RunPart = z.strictObject({
  kind: z.literal('run'),
  method: z.string(),
  /** Runs that choose a learning rate count for nothing else. */
  purpose: z.enum(['compare', 'tune']),
  seed: z.int(),
  rate: z.number(),
  /** Evaluations that it was to spend, and pictures judged at each point. */
  evaluations: z.number(),
  pictures: z.int(),
  circumstances: z.string(),
  points: z.array(RunPoint),
  /** Why it ended early; null when it did not. */
  failure: z.string().nullable(),
})
export type RunPart = z.infer<typeof RunPart>

/** The estimators at the parameters that a run begins with. */
export const VariancePart = z.strictObject({
  kind: z.literal('variance'),
  circumstances: z.string(),
  parameters: z.int(),
  figures: z.array(EstimatorFigures),
})
export type VariancePart = z.infer<typeof VariancePart>

const Part = z.discriminatedUnion('kind', [RunPart, VariancePart])
export type Part = z.infer<typeof Part>

export function fileOf(folder: string, part: Pick<RunPart, 'method' | 'purpose' | 'seed' | 'rate'> | 'variance'): string {
  const name = part === 'variance' ? part : `${part.purpose}-${part.method}-rate-${part.rate}-seed-${part.seed}`
  return path.join(folder, `${name}.json`)
}

/** JSON has no NaN: it is kept as a word. */
export function keepPart(file: string, part: Part): void {
  mkdirSync(path.dirname(file), { recursive: true })
  const text = JSON.stringify(part, (_, value: unknown) => (Number.isNaN(value) ? 'NaN' : value), 1)
  writeFileSync(file, `${text}\n`)
}

export function readPart(file: string): Part {
  return Part.parse(JSON.parse(readFileSync(file, 'utf8'), (_, value: unknown) => (value === 'NaN' ? NaN : value)))
}

/** All that were made so far. */
export function readParts(folder: string): Part[] {
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder).filter((name) => name.endsWith('.json')).toSorted().map((name) => readPart(path.join(folder, name)))
}
