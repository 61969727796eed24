import { HalfstepError } from '../engine/errors.ts'

/** What SQLite's result codes (sqlite.org/rescode.html) mean to a person; the others are defects of ours. */
const FAULTS: readonly { readonly code: string; readonly fault: () => HalfstepError }[] = [
  {
    code: 'SQLITE_FULL',
    fault: () =>
      new HalfstepError('file.unwritable', 'The disk with the library is full.', 'Make room on it; what was saved before is safe.'),
  },
  {
    code: 'SQLITE_BUSY',
    fault: () => new HalfstepError('store.locked', 'The library is in use by another program.', 'Close the other Halfstep and try again.'),
  },
  {
    code: 'SQLITE_READONLY',
    fault: () => new HalfstepError('file.unwritable', 'The library may not be written to.', 'Check the permissions of its folder.'),
  },
  { code: 'SQLITE_CORRUPT', fault: damaged },
  { code: 'SQLITE_NOTADB', fault: damaged },
  {
    code: 'SQLITE_IOERR',
    fault: () =>
      new HalfstepError('store.unreadable', 'The disk with the library does not answer.', 'Check that it is connected, then try again.'),
  },
]

/** What the database threw as a sentence; everything else as it is. */
export function asStoreFault(thrown: unknown): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  return FAULTS.find((known) => code.startsWith(known.code))?.fault() ?? thrown
}

function damaged(): HalfstepError {
  const nextStep = 'Close Halfstep and run `halfstep library repair`: it makes the library again from its files.'
  return new HalfstepError('store.unreadable', 'The database of the library is damaged.', nextStep)
}
