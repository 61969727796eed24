import type { Services } from '../../services/services.ts'
import type { MODEL_CALLS } from '../contract/models.ts'
import type { HandlersOf } from '../router.ts'

export function modelHandlers({ models, tasks }: Services): HandlersOf<typeof MODEL_CALLS> {
  return {
    'models.list': () => models.list(),
    'models.add': ({ path, task }) => tasks.run(task, 'Adding a model', (running) => models.add(path, running)),
    'models.rename': ({ id, name }) => models.rename(id, name),
    'models.relocate': ({ id, path, task }) => tasks.run(task, 'Reading a model', (running) => models.relocate(id, path, running)),
    'models.remove'({ id }) {
      models.remove(id)
      return {}
    },
  }
}
