import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { gradientModel } from '../../../main/engine/autodiff/gradient-model.ts'
import { openOnnx } from '../../../main/engine/graph/onnx/open-onnx.ts'
import { saveOnnx } from '../../../main/engine/graph/onnx/save-onnx.ts'
import type { Tensor } from '../../../main/engine/tensor/tensor.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors } from '../../../native-models/weights/safetensors.ts'
import { expectRefusal, temporaryFolder } from '../weights/crafted.ts'
import { relativeError, runFile } from './run-model.ts'

const FOLDER = join(import.meta.dirname, '../../golden/onnx')
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.safetensors'))
  .map((name) => name.replace('.safetensors', ''))

interface Case {
  readonly output: string
  readonly dimensions: Record<string, number>
  readonly tensors: ReadonlyMap<string, Tensor>
}

async function readCase(name: string): Promise<Case> {
  const file = await openSafetensors(join(FOLDER, `${name}.safetensors`))
  const tensors = new Map<string, Tensor>()
  for (const key of file.names()) tensors.set(key, await readWeight(file.find(key)!))
  return {
    output: file.metadata.get('output') ?? '',
    dimensions: JSON.parse(file.metadata.get('dimensions') ?? '{}') as Record<string, number>,
    tensors,
  }
}

/** The tensors of a case whose names begin with a prefix, without it. */
function named({ tensors }: Case, prefix: string): [string, Tensor][] {
  return [...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, tensor]) => [name.slice(prefix.length), tensor])
}

describe('a network exported by PyTorch', () => {
  it.each(NAMES)('%s gives PyTorch’s outputs and gradients as a gradient model', async (name) => {
    const golden = await readCase(name)
    const graph = await openOnnx(join(FOLDER, `${name}.onnx`), { dimensions: golden.dimensions })
    const wrt = named(golden, 'gradient.')
    gradientModel(graph, { output: golden.output, wrt: wrt.map(([key]) => key) })
    const file = join(await temporaryFolder(), 'gradient.onnx')
    await saveOnnx(file, graph)
    const feeds = Object.fromEntries([...named(golden, 'input.'), [`upstream.${golden.output}`, golden.tensors.get('upstream')!]])
    const results = await runFile(file, feeds)
    expect(relativeError(results[golden.output], golden.tensors.get('output'))).toBeLessThan(1e-4)
    for (const [key, gradient] of wrt)
      expect([key, relativeError(results[`gradient.${key}`], gradient)]).toEqual([key, expect.closeTo(0, 4)])
  })

  it('covers both of PyTorch’s exporters', () => {
    expect(NAMES.filter((name) => name.endsWith('-dynamo')).length).toBeGreaterThanOrEqual(6)
    expect(NAMES.filter((name) => !name.endsWith('-dynamo')).length).toBeGreaterThanOrEqual(6)
  })

  it('is refused with every operator that is missing and how often it is used', async () => {
    const file = join(FOLDER, 'recurrent.onnx')
    await expectRefusal(openOnnx(file), 'onnx.unsupported-operator', 'recurrent.onnx', 'LSTM (ai.onnx 17) ×1', 'TopK (ai.onnx 17) ×1')
  })
})
