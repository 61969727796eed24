import { z } from 'zod'
import { AdapterFormat, AdapterSummary, Precision } from '../../engine/protocol.ts'
import { type CallTable, Count, FilePath, Id, LibraryUrl, Name, nothing, TaskName, Timestamp } from './shared.ts'

/** A LoRA that the library keeps. */
export const Adapter = z.strictObject({
  id: Id,
  name: z.string(),
  bytes: Count,
  summary: AdapterSummary,
  origin: z.enum(['run', 'import', 'merge']),
  /** The run that made it; null when it is gone or there was none. */
  runId: Id.nullable(),
  triggerWords: z.string(),
  notes: z.string(),
  /** What it is used with unless something else is asked for. */
  strength: z.number(),
  /** A small picture. */
  preview: LibraryUrl.nullable(),
  /** The file itself, to be downloaded. */
  url: LibraryUrl,
  addedAt: Timestamp,
})
export type Adapter = z.infer<typeof Adapter>

const Strength = z.number().min(-10).max(10)

export const ADAPTER_CALLS = {
  /** Youngest first. */
  'adapters.list': { args: nothing, result: z.array(Adapter) },
  /** Keeps a copy of a .safetensors LoRA in kohya's or peft's format. A task. */
  'adapters.import': { args: z.strictObject({ path: FilePath, task: TaskName }), result: Adapter },
  /** Changes what is given and leaves the rest. */
  'adapters.change': {
    args: z.strictObject({
      id: Id,
      name: Name.optional(),
      triggerWords: z.string().max(1000).optional(),
      notes: z.string().max(20_000).optional(),
      strength: Strength.optional(),
    }),
    result: Adapter,
  },
  /** Σ strength · adapter as a new one; with a rank reduced to it, `keptEnergy` (0 to 1) being the share of ‖ΔW‖² that stays. A task. */
  'adapters.merge': {
    args: z.strictObject({
      parts: z.array(z.strictObject({ id: Id, strength: Strength })).min(1).max(50),
      name: Name,
      rank: z.int().min(1).max(4096).optional(),
      format: AdapterFormat.optional(),
      task: TaskName,
    }),
    result: z.strictObject({ adapter: Adapter, keptEnergy: z.number() }),
  },
  /**
   * Writes it for other programs: `kohya` for ComfyUI and A1111, `peft` for diffusers. To `path` (of a save dialog; replaced when it
   * exists), or without one into the library, from where `url` downloads it. A task.
   */
  'adapters.export': {
    args: z.strictObject({ id: Id, format: AdapterFormat, dtype: Precision.optional(), path: FilePath.optional(), task: TaskName }),
    result: z.strictObject({ path: z.string(), url: LibraryUrl.nullable() }),
  },
  /** Into the bin. */
  'adapters.remove': { args: z.strictObject({ id: Id }), result: nothing },
} as const satisfies CallTable
