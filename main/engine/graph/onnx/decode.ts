import { malformedOnnx } from './malformed.ts'
import { ModelMessage, type OnnxModel } from './schema.ts'

/**
 * The message of an ONNX file as plain objects; the bytes of tensors stay views of `bytes`.
 * Throws `onnx.malformed`, naming `file`, when the bytes are cut off, are no protobuf message or hold no graph.
 */
export function decodeOnnx(bytes: Uint8Array, file: string): OnnxModel {
  const model = parse(bytes, file)
  if (model.graph === undefined) throw malformedOnnx(file, 'it holds no graph')
  return model
}

function parse(bytes: Uint8Array, file: string): OnnxModel {
  try {
    // The message type was built from the schema that OnnxModel spells in TypeScript.
    return ModelMessage.toObject(ModelMessage.decode(bytes), { longs: Number, arrays: true }) as unknown as OnnxModel
  } catch (error) {
    throw malformedOnnx(file, `it cannot be decoded (${error instanceof Error ? error.message : String(error)})`)
  }
}
