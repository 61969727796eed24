import type { FileKind, FolderEntry } from '../../../main/ipc/contract.ts'
import type { FileWish } from '../../state/file-chooser.svelte.ts'

/** Whether this may be what the person is looking for; folders that are not can still be gone into. */
export function canBeChosen(kind: FileKind, pick: FileWish['pick']): boolean {
  return kind === 'folder' ? pick === 'folder' || pick === 'file-or-folder' : pick !== 'folder'
}

/** The entries with these letters in their names. */
export function matching(entries: readonly FolderEntry[], search: string): readonly FolderEntry[] {
  const wanted = search.trim().toLocaleLowerCase()
  return wanted === '' ? entries : entries.filter(({ name }) => name.toLocaleLowerCase().includes(wanted))
}

/** Where a key leads in a list of `count`, from `at` (−1 for nowhere); undefined for keys that lead nowhere. `page`: entries in view. */
export function moveBy(key: string, at: number, count: number, page: number): number | undefined {
  const within = (index: number): number => Math.max(0, Math.min(count - 1, index))
  if (count === 0) return undefined
  if (key === 'ArrowDown') return within(at + 1)
  if (key === 'ArrowUp') return within(at === -1 ? count - 1 : at - 1)
  if (key === 'PageDown') return within(at + page)
  if (key === 'PageUp') return within(at - page)
  if (key === 'Home') return 0
  return key === 'End' ? count - 1 : undefined
}

/** The next name that begins with these letters, after `at` and round; undefined where none does. */
export function nextByLetters(entries: readonly FolderEntry[], letters: string, at: number): number | undefined {
  const wanted = letters.toLocaleLowerCase()
  // More letters of the same name stay on it; a first letter moves on.
  const first = letters.length > 1 ? Math.max(0, at) : at + 1
  const order = entries.map((_, index) => (first + index) % entries.length)
  return order.find((index) => entries[index]?.name.toLocaleLowerCase().startsWith(wanted))
}
