import * as ort from 'onnxruntime-node'
import { rules } from '../autodiff/rules/index.ts'
import { undifferentiable } from '../autodiff/vjp.ts'
import { HalfstepError } from '../errors.ts'
import { Graph, nodesFor, type Value } from '../graph/graph.ts'
import { importOnnx } from '../graph/onnx/open-onnx.ts'
import type { OnnxModel } from '../graph/onnx/schema.ts'
import { DifferentiableNetwork } from '../networks/differentiable-network.ts'
import { Session } from '../runtime/session.ts'
import { toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import type { PictureSlot } from './picture-slot.ts'
import { impossible, scoreOf, type ScoreTarget } from './score-target.ts'
import { sessionOptions, type RewardPlace } from './scoring-network.ts'

/** An ONNX model that gives each picture of a batch a number. Pixels are what the model's own input takes. */
export interface OnnxScorer {
  scores(pixels: FloatTensor): Promise<FloatTensor>
  /** (∂scores/∂pixels)ᵀ · upstream; absent where `whyNoGradient` says so. */
  readonly gradient?: (pixels: FloatTensor, upstream: FloatTensor) => Promise<{ scores: FloatTensor; dPixels: FloatTensor }>
  readonly whyNoGradient?: string
  dispose(): Promise<void>
}

/** Hardly to be the name of an output already. */
const SCORE = 'halfstep.score'

export interface OnnxFile {
  readonly model: OnnxModel
  readonly path: string
  readonly slot: PictureSlot
  readonly target: ScoreTarget
}

/**
 * The model with its gradient where all operators on the way have one; without it where some have none; and where some cannot even be
 * imported, as ONNX Runtime runs the file, on the CPU, which has a kernel for every operator.
 */
export async function onnxScorer(file: OnnxFile, place: RewardPlace): Promise<OnnxScorer> {
  const output = outputName(file)
  const { name, batch, height, width } = file.slot
  const dimensions = { [`${name}:0`]: batch, [`${name}:1`]: 3, [`${name}:2`]: height, [`${name}:3`]: width }
  try {
    return await importedScorer(await importOnnx(file.model, file.path, { dimensions, outputs: [output] }), file, place)
  } catch (error) {
    if (!(error instanceof HalfstepError) || error.code !== 'onnx.unsupported-operator') throw error
    return foreignScorer(file, output, place, error.message.replace(/\.$/, ''))
  }
}

async function importedScorer(graph: Graph, file: OnnxFile, place: RewardPlace): Promise<OnnxScorer> {
  const [output] = graph.outputs.values()
  const input = graph.inputs.find(({ name }) => name === file.slot.name)
  if (output === undefined || input === undefined) throw new HalfstepError('internal', `${file.path} lost its input or its output.`)
  const score = scoreOf(graph.scope.at(SCORE), output, file.target, file.slot.batch, file.path)
  graph.output(SCORE, score)
  const gaps = undifferentiable([score], [input])
  if (gaps.length > 0) return scorerWithoutGradient(graph, input, place, `it goes through ${gaps.join(', ')}`)
  const steps = stepsOnly(score, input)
  if (steps.length > 0) return scorerWithoutGradient(graph, input, place, `its score only moves in steps, by ${steps.join(', ')}`)
  const options = { ...sessionOptions(place), outputs: [SCORE], wrt: [input.name] }
  const network = await DifferentiableNetwork.create(graph, options)
  return {
    scores: async (pixels) => floats((await network.forward({ [input.name]: pixels }))[SCORE]),
    gradient: async (pixels, upstream) => {
      const { outputs, gradients } = await network.vjp({ [input.name]: pixels }, { [SCORE]: upstream })
      return { scores: floats(outputs[SCORE]), dPixels: floats(gradients[input.name]) }
    },
    dispose: () => network.dispose(),
  }
}

async function scorerWithoutGradient(graph: Graph, input: Value, place: RewardPlace, whyNoGradient: string): Promise<OnnxScorer> {
  const session = await Session.create(graph, sessionOptions(place))
  return {
    scores: async (pixels) => floats((await session.run({ [input.name]: pixels }, [SCORE]))[SCORE]),
    whyNoGradient,
    dispose: () => session.dispose(),
  }
}

/** The operators that cut a score off from its input (ArgMax, Round, comparisons), when no other way leads around them. */
function stepsOnly(score: Value, input: Value): string[] {
  const moving = new Set([input])
  const cuts = new Set<string>()
  for (const { operator, inputs, outputs } of nodesFor([score])) {
    if (!inputs.some((value) => value !== undefined && moving.has(value))) continue
    if (rules[operator].kind === 'no-gradient') cuts.add(operator)
    else for (const value of outputs) moving.add(value)
  }
  return moving.has(score) ? [] : [...cuts]
}

/** The file run as it is. What its output looks like is only known once it has run, so the target follows as a graph of its own. */
async function foreignScorer(
  { path, slot, target }: OnnxFile,
  output: string,
  place: RewardPlace,
  whyNoGradient: string,
): Promise<OnnxScorer> {
  const session = await openForeign(path, place)
  let scoring: Session | undefined
  return {
    scores: async (pixels) => {
      const results = await session.run({ [slot.name]: new ort.Tensor('float32', pixels.data, pixels.shape) }, [output])
      const result = results[output]
      if (result?.type !== 'float32') throw impossible(path, `its output ${output} is no float32 tensor`, 'Choose another output.')
      const numbers = { dtype: 'float32', shape: result.dims, data: result.data as Float32Array } as const
      scoring ??= await targetSession(numbers, path, slot.batch, target)
      return floats((await scoring.run({ numbers }))[SCORE])
    },
    whyNoGradient,
    dispose: async () => {
      await session.release()
      await scoring?.dispose()
    },
  }
}

async function openForeign(path: string, { threads }: RewardPlace): Promise<ort.InferenceSession> {
  const limit = threads === undefined ? {} : { intraOpNumThreads: threads }
  try {
    return await ort.InferenceSession.create(path, { executionProviders: ['cpu'], logSeverityLevel: 3, ...limit })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw impossible(path, `ONNX Runtime refuses it (${reason})`, 'Export the model again.')
  }
}

function targetSession(numbers: FloatTensor, path: string, batch: number, target: ScoreTarget): Promise<Session> {
  const graph = new Graph()
  graph.output(SCORE, scoreOf(graph.scope, graph.input('numbers', 'float32', numbers.shape), target, batch, path))
  return Session.create(graph, { device: 'cpu', threads: 1 })
}

/** The output that was asked for, or the only one. Throws `recipe.impossible`, naming those there are. */
function outputName({ model, path, target }: OnnxFile): string {
  const names = model.graph?.output.map(({ name }) => name ?? '') ?? []
  const [only] = names
  if (target.output !== undefined) {
    if (names.includes(target.output)) return target.output
    throw impossible(path, `it has no output ${target.output}`, `Set target.output to one of ${names.join(', ')}.`)
  }
  if (only !== undefined && names.length === 1) return only
  throw impossible(path, `it has ${names.length} outputs, and target.output does not say which`, `Set it to one of ${names.join(', ')}.`)
}

function floats(tensor: Parameters<typeof toFloat32>[0] | undefined): FloatTensor {
  if (tensor === undefined) throw new HalfstepError('internal', 'A model left out its score.')
  return toFloat32(tensor)
}
