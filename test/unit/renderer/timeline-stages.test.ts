import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TemplateStage } from '../../../main/ipc/contract.ts'
import { parseTemplate } from '../../../main/engine/templates/template.ts'
import { bordersOf, LEAST, moveBorder, moveStage, removeStage, splitStage } from '../../../renderer/components/timeline/stages.ts'

const stage = (name: string, from: number, to: number): TemplateStage => ({ name, span: [from, to], prompt: '', negative: '', emphasis: 1 })
const THREE = [stage('coarse', 1, 0.8), stage('middle', 0.8, 0.6), stage('fine', 0.6, 0)]
const spans = (stages: readonly TemplateStage[]) => stages.map(({ span }) => span)

describe('editing the stages of a template', () => {
  it('moves a border, no further than its neighbours', () => {
    expect(bordersOf(moveBorder(THREE, 0, 0.75))).toEqual([0.75, 0.6])
    expect(bordersOf(moveBorder(THREE, 0, 0.1))).toEqual([0.62, 0.6])
    expect(bordersOf(moveBorder(THREE, 1, -3))).toEqual([0.8, LEAST])
  })

  it('moves a stage between its neighbours, and neither the first nor the last', () => {
    expect(spans(moveStage(THREE, 1, 0.1))).toEqual([[1, 0.9], [0.9, 0.7], [0.7, 0]])
    expect(spans(moveStage(THREE, 1, 5))).toEqual([[1, 0.98], [0.98, 0.78], [0.78, 0]])
    expect(spans(moveStage(THREE, 0, -0.1))).toEqual(spans(THREE))
  })

  it('splits a stage in two with names of their own, and takes one out', () => {
    expect(splitStage(THREE, 2).map(({ name }) => name)).toEqual(['coarse', 'middle', 'fine', 'fine 2'])
    expect(spans(splitStage(THREE, 2)).slice(2)).toEqual([[0.6, 0.3], [0.3, 0]])
    expect(spans(removeStage(THREE, 1))).toEqual([[1, 0.6], [0.6, 0]])
    expect(spans(removeStage(THREE, 0))).toEqual([[1, 0.6], [0.6, 0]])
    expect(removeStage([THREE[0]!], 0)).toHaveLength(1)
  })

  it('never leaves a template that the engine refuses, whatever is done in whatever order', () => {
    const by = fc.double({ min: -2, max: 2, noNaN: true })
    const edit = fc.record({ kind: fc.constantFrom('border', 'stage', 'split', 'remove'), index: fc.nat(6), by })
    fc.assert(fc.property(fc.array(edit, { maxLength: 30 }), (edits) => {
      let stages: readonly TemplateStage[] = THREE
      for (const { kind, index, by } of edits) {
        if (kind === 'border' && index < stages.length - 1) stages = moveBorder(stages, index, by)
        if (kind === 'stage') stages = moveStage(stages, index, by)
        if (kind === 'split') stages = splitStage(stages, index)
        if (kind === 'remove') stages = removeStage(stages, index)
        parseTemplate({ version: 1, name: 'edited', stages }, 'the test')
      }
    }))
  })
})
