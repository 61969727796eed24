import type { Services } from '../../services/services.ts'
import type { ADAPTER_CALLS } from '../contract/adapters.ts'
import type { HandlersOf } from '../router.ts'

export function adapterHandlers({ adapters, tasks }: Services): HandlersOf<typeof ADAPTER_CALLS> {
  return {
    'adapters.list': () => adapters.list(),
    'adapters.import': ({ path, task }) => tasks.run(task, 'Importing an adapter', (running) => adapters.import(path, running)),
    'adapters.change': ({ id, ...change }) => adapters.change(id, change),
    'adapters.merge': ({ task, ...merge }) => tasks.run(task, 'Merging adapters', (running) => adapters.merge(merge, running)),
    'adapters.export': ({ id, task, ...target }) =>
      tasks.run(task, 'Exporting an adapter', (running) => adapters.export(id, target, running)),
    'adapters.remove'({ id }) {
      adapters.remove(id)
      return {}
    },
  }
}
