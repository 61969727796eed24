import { HalfstepError } from '../../engine/errors.ts'
import { browseFolder } from '../../services/files/browse-folder.ts'
import { placesOf } from '../../services/files/places.ts'
import type { Services } from '../../services/services.ts'
import type { DialogWish, FILE_CALLS } from '../contract/files.ts'
import type { HandlersOf } from '../router.ts'

/** Asks the person with the system's own dialog; no paths when they changed their mind. */
export type ShowDialog = (wish: DialogWish) => Promise<string[]>

/** @param showDialog left out by hosts that have none */
export function fileHandlers({ app, uploads }: Services, showDialog?: ShowDialog): HandlersOf<typeof FILE_CALLS> {
  return {
    async 'files.browse'({ folder, kinds }) {
      const places = await placesOf(app.libraryFolder)
      const content = await browseFolder(folder ?? places[0]?.path ?? app.libraryFolder, kinds)
      return { ...content, places }
    },
    async 'files.choose'(wish) {
      if (!showDialog) throw new HalfstepError('usage', 'There are no dialogs in a browser.', 'Look for the file with files.browse.')
      return { paths: await showDialog(wish) }
    },
    async 'files.discardUpload'({ upload }) {
      await uploads.discard(upload)
      return {}
    },
  }
}
