import { HalfstepError } from '../engine/errors.ts'

/** What was looked up by its id, or `library.missing` when it is gone. @param what as in "This model" */
export function required<T>(found: T | undefined, what: string): T {
  if (found !== undefined) return found
  throw new HalfstepError('library.missing', `This ${what} is no longer in the library.`, 'Look in the bin, or reload the page.', { what })
}
