import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gradientModel } from '../../../main/engine/autodiff/gradient-model.ts'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { decodeOnnx } from '../../../main/engine/graph/onnx/decode.ts'
import { importModel, readOnnx } from '../../../main/engine/graph/onnx/read.ts'
import type { OnnxModel } from '../../../main/engine/graph/onnx/schema.ts'
import { writeOnnx } from '../../../main/engine/graph/onnx/write.ts'
import type { Graph } from '../../../main/engine/graph/graph.ts'

const FOLDER = join(import.meta.dirname, '../../golden/onnx')
const MODELS = ['mobilenet', 'convnext', 'text', 'text-dynamo', 'unet'].map(
  (name) => new Uint8Array(readFileSync(join(FOLDER, `${name}.onnx`))),
)
const OPTIONS = { file: 'mutated.onnx', dimensions: { batch: 2, height: 8, width: 12, tokens: 7 } }

/** Imports, differentiates and writes. Whatever the model holds, it works or ends in a foreseen error. */
function endsWell(importGraph: () => Graph): boolean {
  try {
    const graph = importGraph()
    const wrt = [
      ...graph.inputs.filter(({ dtype }) => dtype === 'float32').map(({ name }) => name),
      ...[...graph.parameters.keys()].slice(0, 2),
    ]
    writeOnnx(gradientModel(graph, { output: [...graph.outputs.keys()][0] ?? '', wrt }))
    return true
  } catch (error) {
    if (error instanceof HalfstepError && error.code !== 'internal' && error.code !== 'graph.shape') return true
    throw error
  }
}

/** A place in a message, as choices to be taken modulo what there is, and what is put there. */
const change = fc.record({
  choices: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
  number: fc.oneof(fc.integer({ min: -3, max: 70 }), fc.constantFrom(2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63))),
  action: fc.constantFrom('set', 'drop', 'repeat', 'swap'),
})

/** Changes one leaf of a decoded message, or the list it is in. */
function mutate(message: object, { choices, number, action }: typeof change extends fc.Arbitrary<infer T> ? T : never): void {
  let at = message as Record<string, unknown>
  for (const choice of choices) {
    const keys = Object.keys(at).filter((key) => key !== 'rawData')
    const key = keys[choice % Math.max(keys.length, 1)]
    if (key === undefined) return
    const value = at[key]
    if (Array.isArray(at) && action !== 'set' && choice % 2 === 0) return reorder(at, Number(key), action)
    if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) at = value as Record<string, unknown>
    else {
      at[key] = typeof value === 'number' ? number : typeof value === 'string' ? ['', 'y', '__proto__'][Math.abs(number) % 3] : value
      return
    }
  }
}

function reorder(list: unknown[], index: number, action: 'drop' | 'repeat' | 'swap'): void {
  if (action === 'drop') list.splice(index, 1)
  else if (action === 'repeat') list.push(list[index])
  else list.push(...list.splice(index, 1))
}

describe('a model mutated at random works or is refused by name', () => {
  it('byte by byte', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(fc.constantFrom(...MODELS), edits, fc.option(fc.nat()), (model, changes, cut) => {
        const bytes = model.slice(0, cut === null ? undefined : cut % model.length)
        for (const [at, value] of changes) bytes[at % Math.max(bytes.length, 1)] = value
        expect(endsWell(() => readOnnx(bytes, OPTIONS))).toBe(true)
      }),
      { numRuns: 400 },
    )
  })

  it('field by field', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MODELS), fc.array(change, { minLength: 1, maxLength: 4 }), (bytes, changes) => {
        const model: OnnxModel = decodeOnnx(bytes, 'mutated.onnx')
        for (const one of changes) mutate(model, one)
        expect(endsWell(() => importModel(model, OPTIONS))).toBe(true)
      }),
      { numRuns: 600 },
    )
  })
})
