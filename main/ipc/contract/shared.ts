/** What the parts of the contract have in common. */
import { z } from 'zod'

/** The form of a table of calls. */
export type CallTable = Readonly<Record<string, { readonly args: z.ZodType; readonly result: z.ZodType }>>
/** The form of a table of events. */
export type EventTable = Readonly<Record<string, z.ZodType>>

export const nothing = z.strictObject({})

/** Names a row of the library. */
export const Id = z.string().regex(/^[0-9a-f-]{36}$/)
/** An id, or the name of something that comes with Halfstep. */
export const Key = z.string().regex(/^[a-z0-9][a-z0-9-]{0,99}$/)
/** Names a picture of the library by its content. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
/** A name that a person gives. */
export const Name = z.string().trim().min(1).max(200)
/** An absolute path of this machine, as dialogs and dropped files give it. */
export const FilePath = z.string().min(1).max(32_767)
/** The address of a file of the library, as `src` takes it. */
export const LibraryUrl = z.string().startsWith('/library/')
/** ISO 8601. */
export const Timestamp = z.string()
/** Chosen by the page: under this name it hears `tasks.progress`, and cancels with `tasks.cancel`. */
export const TaskName = z.string().min(1).max(100).optional()

export const Count = z.int().nonnegative()
