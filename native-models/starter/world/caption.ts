import type { FingerCount, Hand, Uniform } from './hand.ts'
import { randomPhrase, randomWords } from './prompt-words.ts'

export const COUNT_WORDS: Readonly<Record<FingerCount, string>> = { 3: 'three', 4: 'four', 5: 'five', 6: 'six', 7: 'seven' }

/** How often each part of a caption is said. */
const SAID = 0.85

/** How often nothing is said but how the hand looks. */
const PLAIN = 0.7

/**
 * A caption in plain words, such as "a left hand, palm open, five fingers, pale skin, blue background". Now and then a part is
 * left out, so that short prompts are understood as well; and some have words before or after them that the picture knows nothing of,
 * so that prompts and templates with words of their own get hands as good.
 * @param fingers the number it speaks of, which need not be the number that is drawn
 */
export function captionOf(hand: Hand, fingers: FingerCount, next: Uniform): string {
  const said = (text: string): string | null => (next() < SAID ? text : null)
  const parts = [
    next() < SAID ? `a ${hand.side} hand` : 'a hand',
    said(`${hand.view} ${hand.pose}`),
    said(`${COUNT_WORDS[fingers]} fingers`),
    said(`${hand.skin} skin`),
    said(`${hand.background} background`),
    hand.sleeve === null ? null : said(`${hand.sleeve} sleeve`),
    hand.style === 'outlined' ? said('outlined') : null,
  ]
  const caption = parts.filter((part) => part !== null).join(', ')
  if (next() < PLAIN) return caption
  const where = next()
  if (where < 1 / 2) return `${caption}, ${randomPhrase(COUNT_WORDS[fingers], next)}`
  return where < 3 / 4 ? `${caption}, ${randomWords(next)}` : `${randomWords(next)} of ${caption}`
}
