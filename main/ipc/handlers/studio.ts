import type { Services } from '../../services/services.ts'
import type { STUDIO_CALLS } from '../contract/studio.ts'
import type { HandlersOf } from '../router.ts'

export function studioHandlers({ studio, tasks }: Services): HandlersOf<typeof STUDIO_CALLS> {
  return {
    'studio.generate': ({ task, ...wish }) => tasks.run(task, 'Making pictures', (running) => studio.generate(wish, running)),
    'studio.list': ({ offset, limit }) => studio.list(offset, limit),
    'studio.remove'({ id }) {
      studio.remove(id)
      return {}
    },
  }
}
