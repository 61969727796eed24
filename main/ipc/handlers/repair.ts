import type { Services } from '../../services/services.ts'
import type { REPAIR_CALLS } from '../contract/repair.ts'
import type { HandlersOf } from '../router.ts'

export function repairHandlers({ repairs, tasks }: Services): HandlersOf<typeof REPAIR_CALLS> {
  return {
    'pictures.import': ({ name, base64 }) => repairs.takeBytes(Buffer.from(base64, 'base64'), name),
    'studio.repair': ({ task, ...wish }) => tasks.run(task, 'Repairing a picture', (running) => repairs.repair(wish, running)),
    'studio.detectHands': async ({ source, detector, confidence, task }) => ({
      boxes: await tasks.run(task, 'Looking for hands', (running) => repairs.detect(source, detector, confidence, running)),
    }),
    'studio.detector': () => ({ path: repairs.lastDetector() }),
  }
}
