/** The system's own dialogs: what a wish of a page comes to, apart from Electron so that it can be tested, and the asking itself. */
import type { Dialog, FileFilter, OpenDialogOptions, SaveDialogOptions } from 'electron'
import type { DialogWish, FileKind } from '../ipc/contract/files.ts'
import type { ShowDialog } from '../ipc/handlers/files.ts'

const FILTERS: Readonly<Record<Exclude<FileKind, 'folder'>, FileFilter>> = {
  safetensors: { name: 'Weights', extensions: ['safetensors'] },
  onnx: { name: 'ONNX models', extensions: ['onnx'] },
  picture: { name: 'Pictures', extensions: ['png', 'jpg', 'jpeg', 'webp'] },
}

/**
 * How Electron is asked. One dialog cannot offer files and folders together outside macOS, so a wish is for one or the other. Nothing
 * is added to the system's list of recent files: what a person works on stays between them and Halfstep.
 */
export function openOptions({ pick, title, kinds, at }: DialogWish): OpenDialogOptions {
  const start = at === null ? {} : { defaultPath: at }
  if (pick === 'folder') return { title, ...start, properties: ['openDirectory', 'createDirectory', 'dontAddToRecent'] }
  const several = pick === 'files' ? ['multiSelections' as const] : []
  return { title, ...start, filters: filtersOf(kinds), properties: ['openFile', ...several, 'dontAddToRecent'] }
}

/** How Electron is asked where a file is to be written. It warns by itself before one is replaced. */
export function saveOptions({ title, kinds, at }: DialogWish): SaveDialogOptions {
  const start = at === null ? {} : { defaultPath: at }
  return { title, ...start, filters: filtersOf(kinds), properties: ['createDirectory', 'showOverwriteConfirmation', 'dontAddToRecent'] }
}

function filtersOf(kinds: readonly FileKind[]): FileFilter[] {
  return kinds.flatMap((kind) => (kind === 'folder' ? [] : [FILTERS[kind]]))
}

/** @param dialog Electron's */
export function nativeDialogs(dialog: Pick<Dialog, 'showOpenDialog' | 'showSaveDialog'>): ShowDialog {
  return async (wish) => {
    if (wish.pick === 'save') {
      const { canceled, filePath } = await dialog.showSaveDialog(saveOptions(wish))
      return canceled || filePath === '' ? [] : [filePath]
    }
    const { canceled, filePaths } = await dialog.showOpenDialog(openOptions(wish))
    return canceled ? [] : filePaths
  }
}
