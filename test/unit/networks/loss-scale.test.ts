import { describe, expect, it } from 'vitest'
import { INITIAL_LOSS_SCALE, nextLossScale, type LossScale } from '../../../main/engine/networks/loss-scale.ts'

/** The scale after this many passes with the same outcome. */
function after(passes: number, overflowed: boolean, from: LossScale = INITIAL_LOSS_SCALE): LossScale | undefined {
  let scale: LossScale | undefined = from
  for (let i = 0; i < passes && scale !== undefined; i++) scale = nextLossScale(scale, overflowed)
  return scale
}

describe('the loss scale', () => {
  it('halves at an overflow and forgets the calm passes before it', () => {
    expect(nextLossScale({ factor: 64, calmPasses: 150 }, true)).toEqual({ factor: 32, calmPasses: 0 })
  })

  it('doubles after 200 calm passes, up to 65536', () => {
    expect(after(199, false)?.factor).toBe(1024)
    expect(after(200, false)?.factor).toBe(2048)
    expect(after(10_000, false)?.factor).toBe(65536)
  })

  it('gives up when lowering it does not help', () => {
    expect(after(20, true)?.factor).toBe(2 ** -10)
    expect(after(21, true)).toBeUndefined()
  })
})
