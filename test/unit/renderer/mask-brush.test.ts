import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brushSizes, largerBrush, smallerBrush } from '../../../renderer/components/mask-brush/brush-sizes.ts'
import { type MaskChange, MaskHistory, type Stroke } from '../../../renderer/components/mask-brush/mask-history.svelte.ts'
import { maskSizeFor } from '../../../renderer/components/mask-brush/mask-size.ts'
import { type MaskContext, paintMask, paintStroke } from '../../../renderer/components/mask-brush/paint-mask.ts'

const point = (x: number, y: number, pressure = 1) => ({ x, y, pressure })
const stroke = (erase = false): Stroke => ({ kind: 'stroke', erase, size: 10, points: [point(1, 2), point(3, 4)] })
const box = (proposal: string, erase = false): MaskChange => ({ kind: 'rectangle', erase, left: 0, top: 0, width: 5, height: 5, proposal })
const CLEAR: MaskChange = { kind: 'clear' }

describe('the history of a mask', () => {
  it('takes back and does again, until something else is done', () => {
    const history = new MaskHistory()
    const [first, second] = [stroke(), stroke(true)]
    history.add(first)
    history.add(second)
    history.undo()
    expect([history.changes, history.canUndo, history.canRedo]).toEqual([[first], true, true])
    history.redo()
    expect(history.changes).toEqual([first, second])
    history.undo()
    history.add(CLEAR)
    expect([history.changes, history.canRedo]).toEqual([[first, CLEAR], false])
  })

  it('knows whether anything is painted', () => {
    const history = new MaskHistory()
    const empty = (change: MaskChange): boolean => {
      history.add(change)
      return history.isEmpty
    }
    expect([history.isEmpty, empty(stroke(true)), empty(stroke()), empty(CLEAR), empty({ kind: 'invert' })])
      .toEqual([true, true, false, true, false])
  })

  it('knows which proposals are marked', () => {
    const history = new MaskHistory()
    for (const change of [box('Hand 1'), box('Hand 2'), box('Hand 1', true)]) history.add(change)
    expect([...history.marked]).toEqual(['Hand 2'])
    history.undo()
    expect([...history.marked]).toEqual(['Hand 1', 'Hand 2'])
    history.add(CLEAR)
    expect(history.marked.size).toBe(0)
  })

  it('is the same after as many steps forward as back', () => {
    const changes = fc.array(fc.constantFrom(stroke(), stroke(true), CLEAR, box('Hand 1')), { maxLength: 12 })
    fc.assert(fc.property(changes, fc.nat(14), (all, back) => {
      const history = new MaskHistory()
      all.forEach((change) => history.add(change))
      for (let i = 0; i < back; i++) history.undo()
      expect(history.changes).toEqual(all.slice(0, Math.max(0, all.length - back)))
      for (let i = 0; i < back; i++) history.redo()
      expect(history.changes).toEqual(all)
    }))
  })
})

/** A context that writes down what is drawn. */
function recorder(): { readonly context: MaskContext; readonly drawn: string[] } {
  const drawn: string[] = []
  const context: MaskContext = {
    fillStyle: '', strokeStyle: '', lineWidth: 1, lineCap: 'butt', globalCompositeOperation: 'source-over',
    beginPath: () => undefined,
    moveTo: (x, y) => void drawn.push(`from ${x},${y}`),
    lineTo: (x, y) => void drawn.push(`to ${x},${y} wide ${context.lineWidth} ${context.globalCompositeOperation}`),
    stroke: () => undefined,
    fillRect: (x, y, w, h) => void drawn.push(`fill ${x},${y} ${w}x${h} ${context.globalCompositeOperation}`),
    clearRect: () => void drawn.push('clear'),
  }
  return { context, drawn }
}

const SIZE = { width: 100, height: 50, scale: 0.5 }

describe('painting a mask', () => {
  it('does everything again since the last time all was cleared', () => {
    const { context, drawn } = recorder()
    paintMask(context, SIZE, [stroke(), CLEAR, stroke(), box('Hand 1', true), { kind: 'invert' }])
    expect(drawn).toEqual([
      'clear', 'from 0.5,1', 'to 1.5,2 wide 5 source-over', 'fill 0,0 2.5x2.5 destination-out', 'fill 0,0 100x50 xor',
    ])
  })

  it('makes a dot of a single point, and adds only what is new', () => {
    const { context, drawn } = recorder()
    const dot: Stroke = { ...stroke(), points: [point(2, 2)] }
    paintStroke(context, SIZE, dot)
    expect(drawn).toEqual(['from 1,1', 'to 1,1 wide 5 source-over'])
    drawn.length = 0
    paintStroke(context, SIZE, { ...dot, points: [point(2, 2), point(4, 4), point(6, 6)] }, 2)
    expect(drawn).toEqual(['from 2,2', 'to 3,3 wide 5 source-over'])
  })

  it('is thinner where a pen presses less, and never vanishes', () => {
    const { context, drawn } = recorder()
    paintStroke(context, SIZE, { ...stroke(), points: [point(0, 0, 0), point(2, 0, 0), point(4, 0, 1)] })
    expect(drawn.filter((line) => line.startsWith('to'))).toEqual(['to 1,0 wide 1.25 source-over', 'to 2,0 wide 3.125 source-over'])
  })
})

describe('sizes', () => {
  it('of a mask are the picture’s, up to 2048 pixels', () => {
    expect(maskSizeFor({ width: 640, height: 480 })).toEqual({ width: 640, height: 480, scale: 1 })
    expect(maskSizeFor({ width: 6000, height: 4000 })).toMatchObject({ width: 2048, height: 1365 })
  })

  it('of a brush grow and shrink within what fits the picture', () => {
    const sizes = brushSizes({ width: 512, height: 384 })
    expect(sizes).toEqual({ least: 2, most: 171, usual: 43 })
    expect(brushSizes({ width: 64, height: 64 })).toEqual({ least: 1, most: 21, usual: 5 })
    for (const size of [1, 2, 5, 40, 170]) expect(largerBrush(size, sizes)).toBeGreaterThan(size)
    for (const size of [3, 5, 40, 170]) expect(smallerBrush(size, sizes)).toBeLessThan(size)
    expect([largerBrush(171, sizes), smallerBrush(2, sizes)]).toEqual([171, 2])
  })
})
