/** Disks that go wrong, for runs whose every file operation goes through them. */
import { open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { OpenFile } from '../../native-models/weights/replace-file.ts'
import { nodeFileSystem, type FileSystem } from '../../main/engine/training/file-system.ts'

type Operation = 'open' | 'write' | 'sync' | 'close' | 'rename' | 'remove' | 'makeFolder' | 'list'

/** Calls `before` ahead of every operation, which may throw or wait; writes may be cut short by it. */
function intercepted(
  inner: FileSystem,
  before: (operation: Operation, path: string, half: () => Promise<void>) => Promise<void>,
): FileSystem {
  const nothing = () => Promise.resolve()
  const file = (path: string, handle: OpenFile): OpenFile => ({
    write: async (bytes, offset, length) => {
      await before('write', path, async () => void (await handle.write(bytes, offset, Math.floor(length / 2))))
      return handle.write(bytes, offset, length)
    },
    sync: async () => {
      await before('sync', path, nothing)
      await handle.sync()
    },
    close: () => handle.close(),
  })
  return {
    open: async (path, flags) => {
      await before('open', path, nothing)
      return file(path, await inner.open(path, flags))
    },
    rename: async (from, to) => {
      await before('rename', to, nothing)
      await inner.rename(from, to)
    },
    remove: async (path) => {
      await before('remove', path, nothing)
      await inner.remove(path)
    },
    makeFolder: async (path) => {
      await before('makeFolder', path, nothing)
      await inner.makeFolder(path)
    },
    list: async (path) => {
      await before('list', path, nothing)
      return inner.list(path)
    },
  }
}

export interface FailingFiles {
  readonly files: FileSystem
  /** What failed. */
  readonly failed: () => readonly string[]
}

/** The n-th operation fails with this code, a write after half of its bytes; with `forever`, so do all that follow. */
export function failingFiles(n: number, code: string, { forever = false, inner = nodeFileSystem } = {}): FailingFiles {
  let count = 0
  const failed: string[] = []
  const files = intercepted(inner, async (operation, path, half) => {
    count++
    if (count !== n && !(forever && count > n)) return
    failed.push(`${operation} ${basename(path)}`)
    await half()
    throw Object.assign(new Error(`${code}: injected, ${operation} '${path}'`), { code, syscall: operation })
  })
  return { files, failed: () => failed }
}

/** Writes straight into a file's final place: what a replacement must not do. */
export const inPlaceFiles: FileSystem = {
  ...nodeFileSystem,
  open: (path, flags) => (flags === 'wx' ? open(finalPath(path), 'w') : nodeFileSystem.open(path, flags)),
  rename: () => Promise.resolve(),
}

/** `000003.safetensors` of `.000003.safetensors.0a1b2c.tmp`. */
function finalPath(temporary: string): string {
  return join(dirname(temporary), basename(temporary).replace(/^\.(.+)\.[0-9a-f]+\.tmp$/, '$1'))
}

export interface PowerCut {
  /** Which operation the power fails at. */
  readonly at: number
  /** Whether a rename that was not flushed is on the disk all the same, or not. */
  readonly renamesSurvive: boolean
  /** Whether flushing does anything. */
  readonly flushes: boolean
}

/**
 * A disk that loses power: nothing that was not flushed is there afterwards — neither the contents of a file nor, at the disk's whim,
 * its new name.
 */
export function powerCutFiles({ at, renamesSurvive, flushes }: PowerCut): { readonly files: FileSystem; readonly isCut: () => boolean } {
  let count = 0
  let cut = false
  const unflushed = new Set<string>()
  const renames: { readonly to: string; readonly before: Buffer | undefined }[] = []

  const fail = async (): Promise<never> => {
    if (!cut) {
      cut = true
      for (const path of unflushed) await truncate(path, 0).catch(() => undefined)
      for (const { to, before } of renamesSurvive ? [] : renames.reverse())
        await (before === undefined ? rm(to, { force: true }) : writeFile(to, before))
    }
    throw new Error('the power is gone')
  }
  const disk: FileSystem = {
    ...nodeFileSystem,
    open: async (path, flags) => {
      const handle = await nodeFileSystem.open(path, flags)
      if (flags === 'wx') unflushed.add(path)
      const sync = async (): Promise<void> => {
        if (!flushes) return
        unflushed.delete(path)
        if (flags === 'r') renames.splice(0, renames.length, ...renames.filter(({ to }) => dirname(to) !== path))
      }
      return { write: (bytes, offset, length) => handle.write(bytes, offset, length), close: () => handle.close(), sync }
    },
    rename: async (from, to) => {
      renames.push({ to, before: await readFile(to).catch(() => undefined) })
      await nodeFileSystem.rename(from, to)
      if (unflushed.delete(from)) unflushed.add(to)
    },
  }
  const files = intercepted(disk, async () => {
    count++
    if (cut || count === at) await fail()
  })
  return { files, isCut: () => cut }
}
