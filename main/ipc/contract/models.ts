import { z } from 'zod'
import { ModelSummary } from '../../engine/protocol.ts'
import { type CallTable, Count, FilePath, Id, Name, nothing, TaskName, Timestamp } from './shared.ts'

/** A checkpoint of the person's: it stays where it lies. */
export const Model = z.strictObject({
  id: Id,
  name: z.string(),
  path: z.string(),
  summary: ModelSummary,
  /** Nothing is at the path any more: it was moved, or its disk is not there. */
  missing: z.boolean(),
  /** Comes with Halfstep. */
  builtIn: z.boolean(),
  addedAt: Timestamp,
  /** Numbers that can be trained, in all components. */
  parameters: Count,
  /** On disk. */
  bytes: Count,
})
export type Model = z.infer<typeof Model>

export const MODEL_CALLS = {
  'models.list': { args: nothing, result: z.array(Model) },
  /**
   * Reads all of a checkpoint (a diffusers folder or a single .safetensors file) and adds it; refused with a sentence that says why.
   * A task: `done` counts bytes read, `note` names the component.
   */
  'models.add': { args: z.strictObject({ path: FilePath, task: TaskName }), result: Model },
  'models.rename': { args: z.strictObject({ id: Id, name: Name }), result: Model },
  /** Tells where a model lies now. A task. */
  'models.relocate': { args: z.strictObject({ id: Id, path: FilePath, task: TaskName }), result: Model },
  /** Into the bin; the checkpoint's files are left alone. */
  'models.remove': { args: z.strictObject({ id: Id }), result: nothing },
} as const satisfies CallTable
