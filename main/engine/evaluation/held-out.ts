/** What no run is trained on. */
import { readFile } from 'node:fs/promises'
import { ASSETS } from '../assets.ts'

/**
 * Seeds of evaluations begin here, where no run's seed lies, and every seed has noise of its own: what is judged was never trained
 * on. `halfstep generate --seed` takes them too, so that each judged picture can be drawn again.
 */
export const EVALUATION_SEED = 2 ** 40

/** The prompts of assets/prompts/hands-held-out.txt. */
export async function heldOutPrompts(): Promise<string[]> {
  return (await readFile(new URL('prompts/hands-held-out.txt', ASSETS), 'utf8')).trimEnd().split('\n')
}
