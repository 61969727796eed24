import { findTokenizer } from '../../../native-models/tokenizer/model-tokenizer.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** The ids a text encoder would be given for each text. */
export const tokenize: JobHandler<EngineJobs['model.tokenize']> = async ({ source, texts }) => {
  const tokenizer = await findTokenizer(source)
  return texts.map((text) => ({ text, ids: tokenizer.encode(text) }))
}
