import { checkModel } from '../check/check-model.ts'
import { maxScoreElements } from '../networks/recomputation.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Recomputes a cases file and reports each output as soon as it is there. */
export const check: JobHandler<EngineJobs['model.check']> = ({ model, cases, device, precision, only }, { progress }) => {
  const settings = { device, compute: precision, maxScoreElements: maxScoreElements(device) }
  return checkModel({ model, cases, settings, ...(only === undefined ? {} : { only }) }, progress)
}
