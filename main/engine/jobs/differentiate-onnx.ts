import { gradientModel } from '../autodiff/gradient-model.ts'
import type { Value } from '../graph/graph.ts'
import { openOnnx } from '../graph/onnx/open-onnx.ts'
import { saveOnnx } from '../graph/onnx/save-onnx.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs, TensorSignature } from '../protocol.ts'

/** Adds its gradient to an ONNX model and writes both as one. */
export const differentiate: JobHandler<EngineJobs['onnx.grad']> = async ({ path, output, wrt, dimensions, out }) => {
  const graph = gradientModel(await openOnnx(path, { dimensions }), { output, wrt })
  await saveOnnx(out, graph)
  return {
    inputs: graph.inputs.map((value) => signature(value.name, value)),
    outputs: [...graph.outputs].map(([name, value]) => signature(name, value)),
  }
}

function signature(name: string, { dtype, shape }: Value): TensorSignature {
  return { name, dtype, shape }
}
