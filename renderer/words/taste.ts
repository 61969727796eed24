import { LEAST_TASTE_CHOICES, type TasteAccuracy, type TasteCount } from '../../main/ipc/contract.ts'
import { plural } from './size.ts'

/** The taste that a person begins with. */
export const FIRST_TASTE = 'My taste'

/** What a taste that has learned can do, in a sentence; whether that is more than guessing. */
export function accuracyWords({ share, low, high, trials }: TasteAccuracy): { readonly text: string; readonly trusted: boolean } {
  if (trials === 0) {
    const untold = 'How well it knows your taste cannot be told yet: the same few pictures came again and again. Rate more.'
    return { trusted: false, text: untold }
  }
  const range = `most likely ${percent(low)} to ${percent(high)}`
  const foretold = `It foretells ${percent(share)} of your choices between pictures it has not seen (${range}).`
  if (low > 0.5) return { trusted: true, text: foretold }
  const doubt = 'That may be no better than guessing, which gives 50 %: rate more pairs, or more alike pictures.'
  return { trusted: false, text: `${foretold} ${doubt}` }
}

/** How many choices are missing, or what more of them are good for. */
export function countWords({ choices, ratings }: TasteCount): string {
  const missing = LEAST_TASTE_CHOICES - choices
  if (missing > 0) return `${choices} of ${LEAST_TASTE_CHOICES} choices`
  const open = ratings - choices
  return open === 0 ? plural(choices, 'choice') : `${plural(choices, 'choice')}, ${open} left open`
}

const percent = (share: number): string => `${Math.round(100 * share)} %`
