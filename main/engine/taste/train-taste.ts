import { HalfstepError } from '../errors.ts'
import { LEAST_TASTE_CHOICES, type EngineJobs } from '../protocol.ts'
import { fitBradleyTerry, type Comparison } from './bradley-terry.ts'
import { crossValidate } from './cross-validate.ts'
import { saveClipTaste, saveOwnTaste } from './save-taste.ts'
import { standardise } from './standardise.ts'
import { tasteFeatures } from './taste-features.ts'

type TasteRequest = EngineJobs['taste.train']['request']

const OUTCOMES = { left: 1, neither: 0.5, right: 0 } as const

/**
 * Learns from comparisons which pictures a person likes: a linear head on features of the pictures, by the Bradley–Terry model.
 * Throws `taste.too-few` under {@link LEAST_TASTE_CHOICES} choices, and what reading the pictures or the CLIP model throws.
 * @param onDone told how many pictures were looked at
 */
export async function trainTaste(
  { pictures, ratings, clip, device, precision, out }: TasteRequest,
  onDone: (done: number) => void,
): Promise<EngineJobs['taste.train']['result']> {
  const choices = ratings.filter(({ preferred }) => preferred !== 'neither').length
  if (choices < LEAST_TASTE_CHOICES) throw tooFew(choices)
  const comparisons = ratings.map(({ left, right, preferred }): Comparison => ({
    first: left, second: right, outcome: OUTCOMES[preferred],
  }))
  const { things, headOf } = standardise(await tasteFeatures(pictures, clip, { device, precision }, onDone))
  const { successes: _successes, ...accuracy } = crossValidate(things, comparisons)
  const head = headOf(fitBradleyTerry(things, comparisons))
  const file = await (clip === undefined ? saveOwnTaste : saveClipTaste)(out, head)
  return { file, choices, accuracy: { ...accuracy, share: accuracy.trials === 0 ? 0 : accuracy.share } }
}

function tooFew(choices: number): HalfstepError {
  const message = `A taste needs ${LEAST_TASTE_CHOICES} choices between pictures, and there ${choices === 1 ? 'is' : 'are'} ${choices}.`
  const missing = LEAST_TASTE_CHOICES - choices
  return new HalfstepError('taste.too-few', message, `Choose in ${missing} more ${missing === 1 ? 'pair' : 'pairs'}.`, { choices })
}
