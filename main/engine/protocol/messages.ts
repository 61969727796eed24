/** The messages that carry jobs between the host and the engine's process. */
import { z } from 'zod'
import { ErrorMessage } from './error-message.ts'

const JobId = z.int().nonnegative()

/** The messages from the host to the engine. There is none to cancel a job: a run blocks its thread, so the process is killed. */
export const ToEngine = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('request'), id: JobId, job: z.string(), request: z.unknown() }),
  /** For a job that runs; one that has ended meanwhile misses nothing. */
  z.strictObject({ type: z.literal('command'), id: JobId, command: z.unknown() }),
])
export type ToEngine = z.infer<typeof ToEngine>

/** The messages from the engine to the host. */
export const FromEngine = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('progress'), id: JobId, progress: z.unknown() }),
  z.strictObject({ type: z.literal('result'), id: JobId, result: z.unknown() }),
  /** With an id, that job failed; without, a message could not be read or the process is about to end. */
  z.strictObject({ type: z.literal('error'), id: JobId.nullable(), error: ErrorMessage }),
  z.strictObject({ type: z.literal('log'), text: z.string() }),
])
export type FromEngine = z.infer<typeof FromEngine>
