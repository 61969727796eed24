import { expandPrompts } from '../../services/prompts/expand-prompts.ts'
import type { Services } from '../../services/services.ts'
import type { PROMPT_CALLS } from '../contract/prompts.ts'
import type { HandlersOf } from '../router.ts'

export function promptHandlers({ prompts }: Services): HandlersOf<typeof PROMPT_CALLS> {
  return {
    'prompts.list': () => prompts.list(),
    'prompts.save': (set) => prompts.save(set),
    'prompts.remove'({ key }) {
      prompts.remove(key)
      return {}
    },
    'prompts.expand': ({ prompts: texts, slots, limit }) => expandPrompts(texts, slots, limit),
  }
}
