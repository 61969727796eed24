/**
 * What people write about hands beyond how one looks. The starter's vocabulary knows the words, and some captions have them by chance
 * alone, so that the model learns to draw as well with them as without.
 */
import { pick, type Uniform } from './hand.ts'

/** Words of prompts, templates and negative prompts about hands. */
export const PROMPT_WORDS = [
  'an the of with and in on at is are has no not one two it',
  'photo picture drawing image illustration sketch cartoon portrait art poster style',
  'hands finger thumb thumbs wrist arm nail knuckle human person body',
  'exactly correct right natural normal perfect real realistic good best well drawn shaped formed proportions',
  'clean simple clear sharp detailed plain solid separate distinct visible straight curved long short thick thin',
  'outline line shape silhouette colour color light bright gray orange pink',
  'showing holding raised closed wave fist up down front side view close',
  'extra missing fused deformed blurry bad wrong ugly distorted mutated malformed low quality too many few more less fewer',
  'count each all every anatomy high sleeves bare',
] as const

/** One by one, without what a caption says of the drawing itself. */
const WORDS = PROMPT_WORDS.flatMap((line) => line.split(' ')).filter((word) => word !== 'right')

/** Ways to insist on a hand, and on the number of its fingers. */
const PHRASES = [
  'one clear hand', 'exactly # separate fingers', '# fingers', '# fingers, clean sharp', 'clean sharp', '# separate fingers',
] as const

/** A way to insist on so many fingers, such as "exactly five separate fingers". */
export function randomPhrase(count: string, next: Uniform): string {
  return pick(next, PHRASES).replace('#', count)
}

/** One to four words in no order. */
export function randomWords(next: Uniform): string {
  const words = 1 + Math.floor(4 * next())
  return Array.from({ length: words }, () => pick(next, WORDS)).join(' ')
}
