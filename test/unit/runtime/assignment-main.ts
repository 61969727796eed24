/**
 * Tells for each operator whether a provider computes it itself: a program of its own, because a provider may crash, and because
 * a graphics driver is chosen by the environment a process starts with. Prints {operator: true | the runtime's refusal}.
 */
import * as ort from 'onnxruntime-node'
import { writeOnnx } from '../../../main/engine/graph/onnx/write.ts'
import { OPERATORS, oneNodeGraph } from './one-node-graphs.ts'

const device = process.argv[2] ?? 'cpu'
const outcomes: Record<string, string> = {}
for (const operator of OPERATORS) {
  try {
    const session = await ort.InferenceSession.create(writeOnnx(oneNodeGraph(operator)).bytes, {
      executionProviders: [device],
      logSeverityLevel: 4,
      extra: device === 'cpu' ? {} : { session: { disable_cpu_ep_fallback: '1' } },
    })
    await session.release()
    outcomes[operator] = 'computed'
  } catch (error) {
    outcomes[operator] = error instanceof Error ? error.message : String(error)
  }
}
console.log(JSON.stringify(outcomes))
