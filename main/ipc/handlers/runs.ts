import type { Services } from '../../services/services.ts'
import type { RUN_CALLS } from '../contract/runs.ts'
import type { HandlersOf } from '../router.ts'

export function runHandlers({ runs, runJudge }: Services): HandlersOf<typeof RUN_CALLS> {
  return {
    'runs.list': () => runs.list(),
    'runs.get': ({ id, points }) => runs.get(id, points),
    'runs.rename': ({ id, name }) => runs.rename(id, name),
    'runs.pause': ({ id }) => runs.pause(id),
    'runs.resume': ({ id }) => runs.resume(id),
    'runs.stop': ({ id, keepBest }) => runs.stop(id, keepBest),
    'runs.sampleNow'({ id }) {
      runs.sampleNow(id)
      return {}
    },
    'runs.changeRewardWeight'({ id, reward, weight }) {
      runs.changeRewardWeight(id, reward, weight)
      return {}
    },
    'runs.vitals': ({ id }) => runs.vitals(id),
    'runs.judge': ({ id }) => runJudge.judge(id),
    'runs.remove'({ id }) {
      runs.remove(id)
      return {}
    },
  }
}
