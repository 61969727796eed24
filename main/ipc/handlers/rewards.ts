import type { Services } from '../../services/services.ts'
import type { REWARD_CALLS } from '../contract/rewards.ts'
import type { HandlersOf } from '../router.ts'

export function rewardHandlers({ rewards, tastes, studio, tasks }: Services): HandlersOf<typeof REWARD_CALLS> {
  return {
    'rewards.list': () => rewards.list(),
    'rewards.save': (reward) => rewards.save(reward),
    'rewards.remove'({ id }) {
      rewards.remove(id)
      return {}
    },
    'rewards.test': ({ spec, pictures, task }) => tasks.run(task, 'Testing a reward', (running) => {
      const files = pictures.map((picture) => ('path' in picture ? picture : studio.promptedFile(picture.generation)))
      return rewards.test(spec, files, running)
    }),
    'tastes.list': () => tastes.list(),
    'tastes.next': ({ taste, source, count }) => ({ pairs: tastes.next(taste, source, count) }),
    'tastes.rate': ({ taste, left, right, preferred }) => tastes.rate(taste, left, right, preferred),
    'tastes.undo'({ taste }) {
      const pair = tastes.undo(taste)
      return { pair, count: tastes.count(taste) }
    },
    'tastes.train': ({ taste, clip, task }) => tasks.run(task, 'Learning your taste', (running) => tastes.train(taste, clip, running)),
  }
}
