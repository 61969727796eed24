import * as ort from 'onnxruntime-node'
import { HalfstepError } from '../errors.ts'
import { onnxTypeOf } from '../graph/onnx/data-types.ts'
import { loadOnnx } from '../graph/onnx/open-onnx.ts'
import type { OnnxModel } from '../graph/onnx/schema.ts'
import type { PictureSize } from '../pictures/picture-file.ts'
import { formatShape } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { layoutOf, type BoxLayout } from './decode-boxes.ts'

/** Side of the pictures that YOLO models take where their file leaves it open. */
const USUAL_SIDE = 640

/** A model that finds things in pictures, from a file of the YOLO kind. */
export interface Detector {
  /** Of the pictures it takes. */
  readonly frame: PictureSize
  /** Names of its classes by index, as its file tells; empty where it does not. */
  readonly names: readonly string[]
  /** What it says of a picture [1, 3, height, width] in [0, 1]. Throws `recipe.impossible` for an output of no known layout. */
  detect(pixels: FloatTensor): Promise<{ readonly output: FloatTensor; readonly layout: BoxLayout }>
  dispose(): Promise<void>
}

/**
 * Opens a detector; it runs on the CPU, which has a kernel for every operator and needs well under a second for a picture.
 * Throws `file.*`, `onnx.malformed`, and `recipe.impossible` for a model that does not take one picture.
 */
export async function openDetector(path: string): Promise<Detector> {
  const model = await loadOnnx(path)
  const { input, frame } = pictureInputOf(model, path)
  const session = await sessionOf(path)
  const [name = ''] = session.outputNames
  return {
    frame,
    names: classNames(model),
    async detect(pixels) {
      const output = await firstOutput(session, path, { [input]: new ort.Tensor('float32', pixels.data, pixels.shape) }, name)
      const layout = layoutOf(output.shape)
      if (layout !== undefined) return { output, layout }
      const cause = `its output ${name} has the shape ${formatShape(output.shape)}, not 1 × (4 + classes) × boxes or 1 × boxes × 6`
      throw impossibleDetector(path, cause, 'Export a YOLO detector (8 or later) as ONNX.')
    },
    dispose: () => session.release(),
  }
}

function pictureInputOf(model: OnnxModel, path: string): { readonly input: string; readonly frame: PictureSize } {
  const stored = new Set(model.graph?.initializer.map(({ name }) => name))
  const inputs = model.graph?.input.filter(({ name }) => !stored.has(name)) ?? []
  const [only] = inputs
  const type = only?.type?.tensorType
  const dim = type?.shape?.dim ?? []
  // Exporters of old wrote an open axis as 0 or −1.
  const [batch = 1, channels = 3, height = USUAL_SIDE, width = USUAL_SIDE] =
    dim.map(({ dimValue }) => (dimValue !== undefined && dimValue > 0 ? dimValue : undefined))
  if (only?.name === undefined || inputs.length !== 1 || dim.length !== 4 || batch !== 1 || channels !== 3) {
    const cause = 'it does not take one picture [1, 3, height, width]'
    throw impossibleDetector(path, cause, 'Choose a YOLO detector exported for one picture at a time.')
  }
  if (type?.elemType !== onnxTypeOf('float32')) {
    throw impossibleDetector(path, `its input ${only.name} is not float32`, 'Export it in full precision, not as float16 or int8.')
  }
  return { input: only.name, frame: { width, height } }
}

async function sessionOf(path: string): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel: 3 })
  } catch (error) {
    throw impossibleDetector(path, `ONNX Runtime refuses it (${reasonOf(error)})`, 'Export the model again.')
  }
}

async function firstOutput(
  session: ort.InferenceSession, path: string, feeds: Readonly<Record<string, ort.Tensor>>, name: string,
): Promise<FloatTensor> {
  const results = await session.run(feeds, [name]).catch((error: unknown) => {
    throw impossibleDetector(path, `it fails on a picture (${reasonOf(error)})`, 'Export the model again.')
  })
  const { [name]: result } = results
  if (result?.data instanceof Float32Array) return float32(result.dims, result.data)
  throw impossibleDetector(path, `its output ${name} is not float32`, 'Export it in full precision.')
}

/** YOLO's exporter writes them as a Python dictionary: `{0: 'hand', 1: "artist's hand"}`. */
function classNames({ metadataProps = [] }: OnnxModel): string[] {
  const text = metadataProps.find(({ key }) => key === 'names')?.value ?? ''
  const names: (string | undefined)[] = []
  for (const [, index, single, double] of text.matchAll(/(\d+)\s*:\s*(?:'([^']*)'|"([^"]*)")/g)) {
    names[Number(index)] = single ?? double ?? ''
  }
  return Array.from(names, (name) => name ?? '')
}

/** The error for a file that is no detector; `cause` completes the sentence. */
export function impossibleDetector(file: string, cause: string, nextStep: string): HalfstepError {
  return new HalfstepError('recipe.impossible', `${file} cannot be used as a detector: ${cause}.`, nextStep, { file })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
