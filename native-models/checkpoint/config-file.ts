import { z } from 'zod'
import { HalfstepError } from '../../main/engine/errors.ts'

/** A value that must be one of these because any other would change the mathematics. */
export const only = <const T extends string | number | boolean | null>(first: T, ...others: T[]) =>
  z.literal([first, ...others]).default(first as Exclude<T, undefined>)

/** A feature that must be absent or switched off. */
export const off = z.literal([null, false]).default(null)

/** A size: a positive integer small enough that products of a few stay exact. */
export const size = z.int().min(1).max(1_000_000)

/** One value for all blocks, or one per block. */
export function perBlock<T extends z.ZodType>(item: T) {
  return z.union([item, z.array(item).max(16)])
}

/** The values of all blocks; undefined when the list has another length than there are blocks. */
export function expand<T>(value: T | T[], blocks: number): T[] | undefined {
  if (!Array.isArray(value)) return new Array<T>(blocks).fill(value)
  return value.length === blocks ? value : undefined
}

/** Checks a config against its schema. Throws `config.unsupported` or `config.malformed`, naming file, key and value. */
export function parseConfig<T>(schema: z.ZodType<T>, raw: unknown, file: string): T {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const key = (issue?.path ?? []).join('.')
  if (key === '') throw new HalfstepError('config.malformed', `${file} is not a model's config.`, 'Download the file again.', { file })
  // A value outside the listed ones is a feature we lack; a value of the wrong kind is a broken file.
  if (issue?.code === 'invalid_value' || issue?.code === 'invalid_union') throw unsupported(file, key, valueAt(raw, issue.path))
  throw new HalfstepError(
    'config.malformed',
    `${file} sets ${key} to ${show(valueAt(raw, issue?.path ?? []))}, which is not a valid value.`,
    'Download the file again, or restore the original value.',
    { file, key },
  )
}

/** The refusal of a config value that Halfstep would compute wrongly. */
export function unsupported(file: string, key: string, value: unknown): HalfstepError {
  return new HalfstepError(
    'config.unsupported',
    `${file} sets ${key} to ${show(value)}, which Halfstep cannot compute.`,
    'Use a model of the Stable Diffusion 1.x, 2.x or XL architecture.',
    { file, key, value: show(value) },
  )
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`
}
