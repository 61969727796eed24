import { useLibraryFolder } from '../../services/library-folder.ts'
import type { Services } from '../../services/services.ts'
import type { LIBRARY_CALLS } from '../contract/library.ts'
import type { HandlersOf } from '../router.ts'

export function libraryHandlers({ bin, library, tasks }: Services): HandlersOf<typeof LIBRARY_CALLS> {
  return {
    'bin.list': () => bin.list(),
    'bin.restore'({ area, id }) {
      bin.restore(area, id)
      return {}
    },
    'bin.empty': ({ task }) => tasks.run(task, 'Emptying the bin', async (running) => ({ removed: await bin.empty(running) })),
    'library.verify': ({ task }) =>
      tasks.run(task, 'Checking the library', async (running) => ({ findings: await library.verify(running) })),
    'library.repair': ({ task }) => tasks.run(task, 'Repairing the library', async (running) => {
      const { repaired, left } = await library.repair(running)
      return { repaired, left }
    }),
    'library.backup': ({ folder, task }) => tasks.run(task, 'Backing up the library', async (running) => {
      await library.backup(folder, running)
      return {}
    }),
    'library.useFolder': ({ folder }) => ({ folder: useLibraryFolder(folder) }),
  }
}
