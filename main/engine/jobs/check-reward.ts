import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { parseRewardSpec } from '../rewards/reward-recipe.ts'

/** Says what is wrong with a reward, or gives it back with every default filled in. */
export const checkReward: JobHandler<EngineJobs['reward.check']> = ({ reward }) =>
  Promise.resolve({ reward: { ...parseRewardSpec(reward) } })
