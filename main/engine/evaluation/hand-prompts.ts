import { captionOf } from '../../../native-models/starter/world/caption.ts'
import { COLOUR_PAIRS } from '../../../native-models/starter/world/colours.ts'
import { POSES, SIDES, VIEWS, type Hand } from '../../../native-models/starter/world/hand.ts'
import { Random } from '../random/random.ts'

/** Prompts to train the starter on, and others, of hands that none of the former speaks of, to judge it by. */
export interface HandPrompts {
  readonly train: readonly string[]
  readonly heldOut: readonly string[]
}

/** Prompts in each list. */
export const PROMPTS_PER_LIST = 64

/** Decides ties between hands that would be as good to have. */
const SEED = 4

/** What a prompt says of a hand. */
type Described = Pick<Hand, 'side' | 'view' | 'pose' | 'skin' | 'background'>

/**
 * Two disjoint lists of captions that ask for five fingers, the same every time. Each list has every side, view, pose, skin and
 * background, and every two of them together, as equally often as the colours that go together allow.
 */
export function handPrompts(): HandPrompts {
  const hands = allHands()
  const waiting = new Random(SEED).permutation('shuffle', [], hands.length).map((index) => hands[index]!)
  const [train, heldOut] = [new EvenList(), new EvenList()]
  for (let i = 0; i < PROMPTS_PER_LIST; i++) for (const list of [train, heldOut]) list.takeFrom(waiting)
  return { train: train.hands.map(promptOf), heldOut: heldOut.hands.map(promptOf) }
}

/** Every hand that a prompt can describe, one side, view, pose, skin and background each. */
function allHands(): Described[] {
  return SIDES.flatMap((side) => VIEWS.flatMap((view) => POSES.flatMap((pose) =>
    COLOUR_PAIRS.map(([skin, background]) => ({ side, view, pose, skin, background })))))
}

/** Hands whose properties come as evenly as can be when each is chosen with a view to those before it. */
class EvenList {
  readonly hands: Described[] = []
  readonly #counts = new Map<string, number>()

  /** Takes the hand whose properties, alone and in pairs, the list has least of. */
  takeFrom(waiting: Described[]): void {
    const cost = (hand: Described): number => traitsOf(hand).reduce((sum, trait) => sum + (this.#counts.get(trait) ?? 0), 0)
    const costs = waiting.map(cost)
    const [hand] = waiting.splice(costs.indexOf(Math.min(...costs)), 1)
    if (hand === undefined) throw new RangeError('There are not as many hands.')
    this.hands.push(hand)
    for (const trait of traitsOf(hand)) this.#counts.set(trait, (this.#counts.get(trait) ?? 0) + 1)
  }
}

/** Each property, and each two of them. */
function traitsOf(hand: Described): string[] {
  const values = Object.entries(hand).map(([property, value]) => `${property} ${value}`)
  return values.flatMap((value, i) => [value, ...values.slice(i + 1).map((other) => `${value}, ${other}`)])
}

/** The whole caption, of a bare wrist drawn flat. */
function promptOf(described: Described): string {
  const drawn = { fingers: 5, style: 'flat', sleeve: null, rotation: 0, scale: 1, shift: [0, 0], lengths: [], tint: [0, 0] } as const
  return captionOf({ ...described, ...drawn }, 5, () => 0)
}
