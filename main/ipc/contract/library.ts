import { z } from 'zod'
import { LibraryArea } from './app.ts'
import { type CallTable, Count, FilePath, Id, nothing, TaskName, Timestamp } from './shared.ts'

/** Something that was removed and can be brought back. */
export const BinItem = z.strictObject({ area: LibraryArea, id: Id, name: z.string(), deletedAt: Timestamp })
export type BinItem = z.infer<typeof BinItem>

/** What is wrong with a library. */
export const Finding = z.strictObject({
  /** `missing`: a row whose file is gone. `damaged`: a file that is not what its name says. `stray`: a file that no row knows. */
  kind: z.enum(['database', 'missing', 'damaged', 'stray', 'leftover', 'thumbnail']),
  /** Inside the library folder; empty for the database itself. */
  file: z.string(),
  message: z.string(),
})
export type Finding = z.infer<typeof Finding>

export const LIBRARY_CALLS = {
  /** What was removed, latest first. */
  'bin.list': { args: nothing, result: z.array(BinItem) },
  'bin.restore': { args: z.strictObject({ area: LibraryArea, id: Id }), result: nothing },
  /** Forgets everything in the bin for good, with its files where nothing else needs them. A task. */
  'bin.empty': { args: z.strictObject({ task: TaskName }), result: z.strictObject({ removed: Count }) },
  /** Looks whether database and files agree; changes nothing. A task. */
  'library.verify': { args: z.strictObject({ task: TaskName }), result: z.strictObject({ findings: z.array(Finding) }) },
  /** Makes rows for files that none knows, thumbnails that are missing, and puts damaged files aside. A task. */
  'library.repair': {
    args: z.strictObject({ task: TaskName }),
    result: z.strictObject({ repaired: z.array(z.strictObject({ file: z.string(), message: z.string() })), left: z.array(Finding) }),
  },
  /** Copies everything into a folder that is empty or not there yet. A task. (`halfstep library restore` brings it back.) */
  'library.backup': { args: z.strictObject({ folder: FilePath, task: TaskName }), result: nothing },
  /** Takes another folder for the library, from the next start on; what is in the present one stays there. */
  'library.useFolder': { args: z.strictObject({ folder: FilePath }), result: z.strictObject({ folder: z.string() }) },
} as const satisfies CallTable
