import { HalfstepError } from '../../main/engine/errors.ts'
import { isFloat, type DType } from '../../main/engine/tensor/dtype.ts'
import { elementCount, formatShape, sameShape, type Shape } from '../../main/engine/tensor/shape.ts'

/** Where one weight lies: a byte range of a file, and how to read it. Weights are never copied before they are needed. */
export interface WeightEntry {
  readonly name: string
  readonly dtype: DType
  /** The shape the model sees, outermost dimension first. */
  readonly shape: Shape
  /** Absolute path with symbolic links resolved, so that it can be mapped in place. */
  readonly file: string
  /** Offset of the first byte from the start of the file. */
  readonly byteOffset: number
  readonly byteLength: number
  /** Stored as the transpose of `shape` (two dimensions only). */
  readonly transposed?: true
}

/** A set of weights by name: a file, several shards, or a view on either with other names. */
export interface WeightSource {
  /** The file or folder, for messages. */
  readonly description: string
  names(): readonly string[]
  find(name: string): WeightEntry | undefined
}

/** A source over entries at hand. Two entries of one name are refused: nobody could tell which one is meant. */
export function weightSource(description: string, entries: Iterable<WeightEntry>): WeightSource {
  const byName = new Map<string, WeightEntry>()
  for (const entry of entries) {
    if (byName.has(entry.name)) {
      throw new HalfstepError(
        'weights.malformed',
        `${description} holds the tensor ${entry.name} twice under different spellings.`,
        'Load and save the model again with the tool that made it.',
        { file: description, tensor: entry.name },
      )
    }
    byName.set(entry.name, entry)
  }
  return { description, names: () => [...byName.keys()], find: (name) => byName.get(name) }
}

export function allEntries(source: WeightSource): WeightEntry[] {
  return source.names().flatMap((name) => source.find(name) ?? [])
}

/** The same weights under other names; those for which `rename` returns undefined are left out. */
export function renameWeights(source: WeightSource, rename: (name: string) => string | undefined): WeightSource {
  const entries = allEntries(source).flatMap((entry) => {
    const name = rename(entry.name)
    return name === undefined ? [] : [{ ...entry, name }]
  })
  return weightSource(source.description, entries)
}

/** The weights whose names begin with `prefix`, without it. */
export function withoutPrefix(source: WeightSource, prefix: string): WeightSource {
  return renameWeights(source, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined))
}

/**
 * The entry a model needs, with exactly the expected shape. A 1×1 convolution [o, i, 1, 1] and a linear layer [o, i]
 * hold the same bytes, so either may stand for the other and is viewed with the expected shape.
 *
 * Throws `weights.missing-tensor`, `weights.wrong-type` (not floating point) or `weights.wrong-shape`.
 */
export function requireWeight(source: WeightSource, name: string, expected: Shape): WeightEntry {
  const entry = source.find(name)
  const details = { file: source.description, tensor: name }
  if (entry === undefined) {
    throw new HalfstepError(
      'weights.missing-tensor',
      `${source.description} lacks the tensor ${name}.`,
      'The file is incomplete or does not belong to its config; download it again.',
      details,
    )
  }
  if (!isFloat(entry.dtype)) {
    throw new HalfstepError(
      'weights.wrong-type',
      `${source.description} stores the tensor ${name} as ${entry.dtype}, where a floating-point type is needed.`,
      'Use a float32, float16 or bfloat16 version of the model; quantised files are not supported.',
      { ...details, dtype: entry.dtype },
    )
  }
  if (sameShape(entry.shape, expected)) return entry
  if (sameLayout(entry.shape, expected)) return { ...entry, shape: expected }
  throw new HalfstepError(
    'weights.wrong-shape',
    `${source.description} stores the tensor ${name} with shape ${formatShape(entry.shape)}, but the model needs ${formatShape(expected)}.`,
    'The file does not belong to its config; use weights and config of the same model.',
    { ...details, shape: formatShape(entry.shape), expected: formatShape(expected) },
  )
}

/** Whether the shapes differ by trailing dimensions of size one only. */
function sameLayout(a: Shape, b: Shape): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  return short.length >= 2 && elementCount(a) === elementCount(b) && sameShape(short, long.slice(0, short.length))
}
