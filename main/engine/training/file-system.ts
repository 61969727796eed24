import { mkdir, readdir } from 'node:fs/promises'
import { systemFiles, type ReplacingFileSystem } from '../../../native-models/weights/replace-file.ts'

/** Everything a run asks of the disk besides reading files; a parameter, so that a test can make each operation fail. */
export interface FileSystem extends ReplacingFileSystem {
  /** Makes a folder and those above it; nothing when it is there. */
  makeFolder(path: string): Promise<void>
  /** Names of what a folder holds. */
  list(path: string): Promise<string[]>
}

export const nodeFileSystem: FileSystem = {
  ...systemFiles,
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true })
  },
  list: (path) => readdir(path),
}
