import type { Reward } from '../../../main/ipc/contract.ts'

type Spec = Reward['spec']

/** A reward as a list of parts, which is how it is edited: one by itself is a list of one. */
export function partsOf(spec: Spec): Spec[] {
  const { kind, parts } = spec
  return kind === 'mixture' && Array.isArray(parts) ? parts.filter(isSpec) : [spec]
}

/** The reward that these parts are: a mixture, unless there is only one of weight 1. */
export function specOf(parts: readonly Spec[]): Spec {
  const [only, ...others] = parts
  if (only !== undefined && others.length === 0 && (only['weight'] ?? 1) === 1) return only
  return { kind: 'mixture', parts: [...parts] }
}

function isSpec(value: unknown): value is Spec {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A part's field as text: lists one entry per line. */
export function fieldText(part: Spec, key: string): string {
  const value = part[key]
  if (Array.isArray(value)) return value.filter((entry) => typeof entry === 'string').join('\n')
  return typeof value === 'string' ? value : ''
}
