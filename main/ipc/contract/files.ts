import { z } from 'zod'
import { type CallTable, Count, FilePath, Id, nothing } from './shared.ts'

/** What can be chosen; files are told by the endings of their names. */
export const FileKind = z.enum(['folder', 'safetensors', 'onnx', 'picture'])

export const FolderEntry = z.strictObject({
  name: z.string(),
  path: z.string(),
  kind: FileKind,
  /** Null for folders. */
  bytes: Count.nullable(),
})

/** Where looking for a file may begin. */
export const Place = z.strictObject({ name: z.string(), path: z.string() })

/** What a folder of the machine that Halfstep runs on holds. */
export const FolderView = z.strictObject({
  /** Absolute. */
  folder: z.string(),
  /** The folder around it; null at the top. */
  parent: z.string().nullable(),
  places: z.array(Place),
  /** Folders first, then files of the wanted kinds, each by name. */
  entries: z.array(FolderEntry),
  /** How many more there are than can be shown. */
  leftOut: Count,
})

/** What the system's own dialog is to ask for. */
export const DialogWish = z.strictObject({
  pick: z.enum(['file', 'files', 'folder', 'save']),
  title: z.string().min(1).max(200),
  /** Which files are offered; all where none is named. */
  kinds: z.array(FileKind).max(4).default([]),
  /** Where it begins: a folder or file, or for `save` the proposed name. */
  at: FilePath.nullable().default(null),
})

export type FileKind = z.infer<typeof FileKind>
export type FolderEntry = z.infer<typeof FolderEntry>
export type Place = z.infer<typeof Place>
export type FolderView = z.infer<typeof FolderView>
export type DialogWish = z.infer<typeof DialogWish>

/** A file that comes through the browser may be this large; models are larger, and are named by their paths instead. */
export const LARGEST_UPLOADED_FILE = 2 ** 30
/** As many files may come in one go. */
export const MOST_UPLOADED_FILES = 20_000

export const FILE_CALLS = {
  /**
   * Looks into a folder, where pages are not told paths; changes nothing, and leaves hidden files out.
   * A file stands for the folder it is in, null for the person's own folder.
   */
  'files.browse': {
    args: z.strictObject({ folder: FilePath.nullable(), kinds: z.array(FileKind).max(4) }),
    result: FolderView,
  },
  /** Asks with the system's own dialog, where `app.info` has `dialogs: 'native'`. No paths when the person changed their mind. */
  'files.choose': { args: DialogWish, result: z.strictObject({ paths: z.array(FilePath) }) },
  /** Removes what came through the browser (`POST /upload`), once it was imported. */
  'files.discardUpload': { args: z.strictObject({ upload: Id }), result: nothing },
} as const satisfies CallTable
