import type { Services } from '../../services/services.ts'
import type { TRAINING_CALLS } from '../contract/training.ts'
import type { HandlersOf } from '../router.ts'

export function trainingHandlers({ training, tasks }: Services): HandlersOf<typeof TRAINING_CALLS> {
  return {
    'training.draft': async (choices) => ({ recipe: await training.draft(choices) }),
    'training.estimate': ({ recipe, task }) => tasks.run(task, 'Estimating', (running) => training.estimate(recipe, running)),
    'training.start': (run) => training.start(run),
  }
}
