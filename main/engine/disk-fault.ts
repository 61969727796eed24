/** What a disk's refusal means in plain words: `ENOSPC: no space left on device, write` is for programs. */

/** By the codes of errno(3), which Node gives on every platform. Each completes "… cannot be written: …" or "… cannot be read: …". */
const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'there is no room left for this user on the disk',
  EFBIG: 'the disk takes no file of that size',
  EROFS: 'the disk can only be read from',
  EACCES: 'this user is not allowed to',
  EPERM: 'the system does not allow it',
  EBUSY: 'another program is using it',
  EIO: 'the disk reports a fault',
  ENOENT: 'there is nothing at this place',
  ENOTDIR: 'its path leads through something that is not a folder',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its path is too long for this system',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ELOOP: 'links on its path lead in a circle',
}

/** Why a file could not be read or written, without a full stop; what is not known in words as the system put it. */
export function wordsForDiskFault(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause ? String(cause.code) : ''
  return WORDS[code] ?? cause.message
}
