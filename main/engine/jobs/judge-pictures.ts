import { judgePicture } from '../judge/judge-picture.ts'
import { readJudged } from '../judge/read-judged.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Looks at pictures one after another; one that cannot be read fails the job, by name. */
export const judge: JobHandler<EngineJobs['pictures.judge']> = async ({ pictures }) => {
  const verdicts: EngineJobs['pictures.judge']['result'] = []
  for (const path of pictures) {
    const { fingers, wellFormed } = judgePicture(await readJudged(path))
    verdicts.push({ fingers, wellFormed })
  }
  return verdicts
}
