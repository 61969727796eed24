/** Several adapters as one. */
import { HalfstepError } from '../errors.ts'
import { elementCount, formatShape, sameShape, type Shape } from '../tensor/shape.ts'
import { float32 } from '../tensor/tensor.ts'
import { moduleKey, rankOf, scaleOf, weightShapeOf, type Adapter, type LoraModule } from './lora.ts'
import { truncateProduct, type Product } from './low-rank.ts'

/** An adapter that goes into a merge. */
export interface MergePart {
  readonly adapter: Adapter
  /** Factor of its change; may be negative. */
  readonly strength: number
  /** Names it in errors: its file. */
  readonly name: string
}

export interface MergeOptions {
  /** Reduce every module to this rank or less; without it the merge is exact and ranks add up. */
  readonly rank?: number
}

export interface Merged {
  readonly adapter: Adapter
  /** The share of Σ ‖ΔW‖² over all modules that was kept: 1 for an exact merge. */
  readonly keptEnergy: number
}

/**
 * One adapter whose change of each weight is the weighted sum of the parts' changes:
 *
 *   ΔW = Σ sᵢ · (alphaᵢ/rᵢ) · Bᵢ Aᵢ = [s₁(alpha₁/r₁)B₁ … ] · [A₁; …]
 *
 * so that ranks add up, and alpha is the rank. With `rank`, the nearest adapter of that rank instead.
 *
 * Throws `usage` for no parts, a strength that is not finite or a rank below 1, `adapter.mismatch` when parts adapt a
 * module in different shapes, and `adapter.malformed` for a module whose numbers are not finite.
 */
export function mergeAdapters(parts: readonly MergePart[], { rank }: MergeOptions = {}): Merged {
  checkArguments(parts, rank)
  const terms = parts.flatMap((part) => part.adapter.modules.map((module): Term => ({ part, module })))
  const byModule = [...Map.groupBy(terms, ({ module }) => moduleKey(module)).values()]
  const sums = byModule.map(sumOf)
  const adapter = (modules: readonly LoraModule[]) => ({ modules, metadata: originOf(parts) })
  if (rank === undefined) return { adapter: adapter(sums), keptEnergy: 1 }
  const results = sums.map((module) => reduced(module, rank))
  const energy = results.reduce((total, result) => total + result.energy, 0)
  const kept = results.reduce((total, result) => total + result.keptEnergy, 0)
  return { adapter: adapter(results.map(({ module }) => module)), keptEnergy: energy === 0 ? 1 : kept / energy }
}

interface Term {
  readonly part: MergePart
  readonly module: LoraModule
}

/** The exact sum of one module's terms, ranks added up. */
function sumOf(terms: readonly Term[]): LoraModule {
  const [first, ...others] = terms
  if (!first) throw new RangeError('a sum needs a term')
  for (const term of terms) checkFinite(term)
  for (const other of others) checkSameShape(first, other)
  const rank = terms.reduce((total, { module }) => total + rankOf(module), 0)
  const { module } = first
  return {
    ...module,
    down: float32([rank, ...module.down.shape.slice(1)], joinRows(terms.map((term) => term.module.down.data))),
    up: float32(upShape(module, rank), joinColumns(terms, module.up.shape[0] ?? 0, rank)),
    alpha: rank,
  }
}

function joinRows(blocks: readonly (Float32Array | Float64Array)[]): Float32Array {
  const joined = new Float32Array(blocks.reduce((length, block) => length + block.length, 0))
  let offset = 0
  for (const block of blocks) {
    joined.set(block, offset)
    offset += block.length
  }
  return joined
}

/** The B of all terms side by side, each times strength · alpha / rank. */
function joinColumns(terms: readonly Term[], rows: number, columns: number): Float32Array {
  const joined = new Float32Array(rows * columns)
  let offset = 0
  for (const { part, module } of terms) {
    const rank = rankOf(module)
    const factor = part.strength * scaleOf(module)
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < rank; k++) joined[row * columns + offset + k] = factor * (module.up.data[row * rank + k] ?? 0)
    }
    offset += rank
  }
  return joined
}

/** A module whose alpha is its rank, cut down to `rank`, with ‖ΔW‖² before and after. */
function reduced(module: LoraModule, rank: number): { module: LoraModule; energy: number; keptEnergy: number } {
  const { columns, rows, energy, keptEnergy } = truncateProduct(factorsOf(module), rank)
  const outputs = module.up.shape[0] ?? 0
  const up = new Float32Array(outputs * columns.length)
  for (const [k, column] of columns.entries()) {
    for (let row = 0; row < outputs; row++) up[row * columns.length + k] = column[row] ?? 0
  }
  const result = {
    ...module,
    down: float32([rows.length, ...module.down.shape.slice(1)], joinRows(rows)),
    up: float32(upShape(module, columns.length), up),
    alpha: rows.length,
  }
  return { module: result, energy, keptEnergy }
}

/** The columns of B and the rows of A. */
function factorsOf({ down, up }: LoraModule): Product {
  const rank = down.shape[0] ?? 0
  const width = elementCount(down.shape.slice(1))
  const terms = Array.from({ length: rank }, (_, k) => k)
  return {
    columns: terms.map((k) => Float64Array.from({ length: up.shape[0] ?? 0 }, (_, row) => up.data[row * rank + k] ?? 0)),
    rows: terms.map((k) => Float64Array.from(down.data.subarray(k * width, (k + 1) * width))),
  }
}

/** The shape of B for another rank: B of a convolution keeps its two dimensions of one. */
function upShape(module: LoraModule, rank: number): Shape {
  const [out = 0, , ...kernel] = module.up.shape
  return [out, rank, ...kernel]
}

function checkArguments(parts: readonly MergePart[], rank: number | undefined): void {
  if (parts.length === 0) throw new HalfstepError('usage', 'A merge needs at least one adapter.', 'Name the adapters to merge.')
  if (rank !== undefined && !(Number.isInteger(rank) && rank >= 1)) {
    throw new HalfstepError('usage', `A rank of ${rank} is not possible.`, 'Give a whole number of 1 or more.')
  }
  const wrong = parts.find(({ strength }) => !Number.isFinite(strength))
  if (wrong) throw new HalfstepError('usage', `The strength of ${wrong.name} is not a number.`, 'Give a number such as 0.7 or -0.5.')
}

function checkFinite({ part, module }: Term): void {
  if ([module.down, module.up].every((tensor) => tensor.data.every(Number.isFinite))) return
  throw new HalfstepError(
    'adapter.malformed',
    `${part.name} holds NaN or infinite numbers in ${moduleKey(module)}.`,
    'The adapter is broken; use an earlier version of it.',
    { file: part.name, module: moduleKey(module) },
  )
}

function checkSameShape(first: Term, other: Term): void {
  const [a, b] = [weightShapeOf(first.module), weightShapeOf(other.module)]
  if (sameShape(a, b)) return
  const key = moduleKey(first.module)
  throw new HalfstepError(
    'adapter.mismatch',
    `${first.part.name} and ${other.part.name} cannot be merged: they adapt ${key} as ${formatShape(a)} and as ${formatShape(b)}.`,
    'Merge adapters that were made for the same family of models.',
    { module: key, files: [first.part.name, other.part.name] },
  )
}

/** The header of a merge: what went in, by names without folders, which are nobody's business, and the base they share. */
function originOf(parts: readonly MergePart[]): Record<string, string> {
  const origin = parts.map(({ name, strength }) => ({ name: name.replace(/^.*[/\\]/, ''), strength }))
  const shared = BASE_KEYS.flatMap((key) => {
    const [value, ...others] = new Set(parts.map(({ adapter }) => adapter.metadata[key]))
    return value !== undefined && others.length === 0 ? [[key, value] as const] : []
  })
  return { ...Object.fromEntries(shared), 'halfstep.merged_from': JSON.stringify(origin) }
}

const BASE_KEYS = ['modelspec.architecture', 'ss_base_model_version', 'ss_v2']
