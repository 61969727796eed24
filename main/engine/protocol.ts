/**
 * What the host and the engine's own process say to each other: every job once, with the schemas of what it takes, reports and
 * gives, and the messages that carry them. Schemas and types only, so that services can import it without the engine.
 *
 * To add a job: one entry in ENGINE_JOBS here, and one handler file in `jobs/` with its line in `jobs/index.ts` (which does not
 * compile without it). Payloads travel by structured clone, so tensors go as typed arrays, never as lists of numbers.
 */
import { z } from 'zod'
import type { ErrorValue } from './errors.ts'

/** ONNX Runtime's execution providers, in the order in which they are preferred. */
export const DEVICES = ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const

export const Device = z.enum(DEVICES)
export type Device = z.infer<typeof Device>

/** A device's name in a sentence. */
export const DEVICE_LABELS: Readonly<Record<Device, string>> = {
  cuda: 'CUDA',
  dml: 'DirectML',
  coreml: 'Core ML',
  webgpu: 'WebGPU',
  cpu: 'the CPU',
}

/** What a probe of one device found, by really computing on it. */
export const DeviceRecord = z.strictObject({
  device: Device,
  available: z.boolean(),
  /** Why the device cannot be used, as one sentence; null when it can. */
  reason: z.string().nullable(),
  /** The runtime's own words behind `reason`, for a bug report; null when there are none. */
  detail: z.string().nullable(),
  /** The GPU's or processor's name; null when the system does not tell. */
  name: z.string().nullable(),
  /** Whether it computes in half precision. Always false on the CPU, which widens float16 to float32. */
  float16: z.boolean(),
  /** Whether ConvTranspose equals the Conv with flipped weights; `wrong` makes graphs use the latter. */
  convTranspose: z.enum(['correct', 'wrong', 'untested']),
  /** All memory that models could use, in bytes; null when the device does not tell. */
  memoryBytes: z.number().nonnegative().nullable(),
  /** Measured on a chain of matrix products, in floating point operations per second; null when it could not be measured. */
  speed: z.number().nonnegative().nullable(),
  onnxruntimeVersion: z.string(),
  /** ISO 8601. */
  probedAt: z.iso.datetime(),
})
export type DeviceRecord = z.infer<typeof DeviceRecord>

/** The steps of a probe, in order; the last one reported tells where a crash happened. */
export const ProbeStep = z.enum(['start', 'matMul', 'conv', 'branch', 'convTranspose', 'float16', 'speed'])
export type ProbeStep = z.infer<typeof ProbeStep>

/** The element type that networks compute in; weights of another type are cast on their way in. */
export const Precision = z.enum(['float32', 'float16'])
export type Precision = z.infer<typeof Precision>

/** How the chain from noise to picture is walked. */
export const SamplerName = z.enum(['ddim', 'dpmpp', 'euler'])
export type SamplerName = z.infer<typeof SamplerName>

const Count = z.int().nonnegative()
const Path = z.string().min(1)
/** An object whose insides are for others to judge. */
const Json = z.record(z.string(), z.unknown())

/** One network of a model, as far as its config and weights tell. */
export const ComponentSummary = z.strictObject({
  name: z.enum(['unet', 'textEncoder', 'textEncoder2', 'vae', 'imageEncoder']),
  /** Numbers that can be trained. */
  parameters: Count,
  /** Bytes on disk. */
  bytes: Count,
  /** How many bytes are stored in each element type: `{ float16: 1719125304 }`. */
  precision: z.record(z.string(), Count),
})
export type ComponentSummary = z.infer<typeof ComponentSummary>

/** What `model.inspect` finds. */
export const ModelSummary = z.strictObject({
  /** Absolute path. */
  path: z.string(),
  family: z.enum(['sd1', 'sd2', 'sdxl']),
  layout: z.enum(['diffusers', 'single-file']),
  predictionType: z.enum(['epsilon', 'v_prediction']),
  components: z.array(ComponentSummary),
  /** The tokenizer's folder, or null where the model has none and CLIP's standard one is taken. */
  tokenizer: z.string().nullable(),
  /** Latents [channels, height, width] the UNet was trained at; height and width are null where the config does not say. */
  latentSize: z.tuple([Count, Count.nullable(), Count.nullable()]).nullable(),
  /** Width of the text condition; null without a UNet. */
  crossAttentionWidth: Count.nullable(),
  /** Assumptions made and oddities found, one sentence each. */
  problems: z.array(z.string()),
  /** What keeps the model from working: missing or misshapen weights, NaN, one sentence each. */
  faults: z.array(z.string()),
})
export type ModelSummary = z.infer<typeof ModelSummary>

/** One output that was computed again and compared with its reference. */
export const CheckLine = z.strictObject({
  output: z.string(),
  /** ‖ours − reference‖ / ‖reference‖ */
  relativeError: z.number().nonnegative().or(z.literal(Infinity)),
  tolerance: z.number().positive(),
  /** The number that lies too far from its reference to be rounding, where there is one. */
  outlier: z.strictObject({ index: z.array(Count), ours: z.number(), reference: z.number() }).nullable(),
  passed: z.boolean(),
})
export type CheckLine = z.infer<typeof CheckLine>

/** A group of a cases file that gave no numbers, and why. */
export const SkippedGroup = z.strictObject({ group: z.string(), reason: z.string() })
export type SkippedGroup = z.infer<typeof SkippedGroup>

export const CheckReport = z.strictObject({
  lines: z.array(CheckLine),
  /** Groups that should have been computed and could not be: the check fails. */
  failures: z.array(SkippedGroup),
  /** Groups that this version does not know. */
  notCovered: z.array(SkippedGroup),
  passed: z.boolean(),
})
export type CheckReport = z.infer<typeof CheckReport>

export const AdapterFormat = z.enum(['kohya', 'peft'])
export type AdapterFormat = z.infer<typeof AdapterFormat>

/** The same as the engine's own type, which the handler's return type is checked against. */
export const AdapterSummary = z.strictObject({
  format: AdapterFormat,
  dtype: z.string(),
  family: z.enum(['sd1', 'sd2', 'sdxl']).optional(),
  title: z.string().optional(),
  ranks: z.array(Count).readonly(),
  alphas: z.array(z.number()).readonly(),
  modules: Count,
  parameters: Count,
  components: z.record(z.string(), Count),
  targets: z.record(z.string(), Count),
  problems: z.array(z.string()).readonly(),
})
export type AdapterSummary = z.infer<typeof AdapterSummary>

/** The same as the engine's own type, which the handler's return type is checked against. */
export const BenchMeasurement = z.strictObject({
  seconds: z.array(z.number()).readonly(),
  median: z.number(),
  memoryAboveWeights: z.number(),
})

export type BenchMeasurement = z.infer<typeof BenchMeasurement>

/** What `model.bench` measures. */
export const BenchResult = z.strictObject({
  parameters: Count,
  weightBytes: Count,
  compileSeconds: z.number(),
  forward: BenchMeasurement,
  vjp: BenchMeasurement,
  deviceBytes: z.number().nullable(),
})
export type BenchResult = z.infer<typeof BenchResult>

export const StandardConfig = z.enum(['sd15', 'sd21', 'sdxl'])
/**
 * What a backward pass computes again instead of keeping it: `blocks` everything but the blocks' inputs and the results of
 * attention (least memory), `attention` only the attention scores (about a quarter less time, several times the memory), `auto`
 * the latter where it fits.
 */
export const Recomputation = z.enum(['auto', 'blocks', 'attention'])
export type Recomputation = z.infer<typeof Recomputation>
export const BenchStage = z.enum(['weights', 'compile', 'forward', 'vjp'])
export type BenchStage = z.infer<typeof BenchStage>

/** An input or output of an ONNX model. */
export const TensorSignature = z.strictObject({ name: z.string(), dtype: z.string(), shape: z.array(Count).readonly() })
export type TensorSignature = z.infer<typeof TensorSignature>

/** An {@link ErrorValue} on its way between processes. */
const ErrorFields = z.strictObject({
  code: z.string(),
  message: z.string(),
  nextStep: z.string(),
  details: z.record(z.string(), z.unknown()),
})

function isErrorValue(value: unknown): value is ErrorValue {
  return ErrorFields.safeParse(value).success
}

const ErrorMessage = z.custom<ErrorValue>(isErrorValue)

/** What a training run needs, before it starts or as measured. */
export const TrainingCost = z.strictObject({
  /** Peak memory of the device (of the process, on the CPU) in bytes; null when it is not known. */
  memoryBytes: z.number().nonnegative().nullable(),
  secondsPerUpdate: z.number().nonnegative().nullable(),
})
export type TrainingCost = z.infer<typeof TrainingCost>

/** How one step of the sampling chain was covered in an update; the norm of its own part of the gradient, where it is known. */
const TrainingStep = z.strictObject({ coverage: z.string(), norm: z.number().nullable() })

export const RunWarning = z.enum([
  'not-finite',
  'damaged-checkpoint',
  'adapter-unchanged',
  'reward-constant',
  'sample-failed',
  'no-such-reward',
  'skipped-picture',
  'many-sizes',
  'less-memory',
])
export type RunWarning = z.infer<typeof RunWarning>

export const PauseReason = z.enum(['asked', 'not-finite', 'storage', 'device'])
export type PauseReason = z.infer<typeof PauseReason>

/** A figure as it was computed, NaN and infinities too: whoever hears it decides what to make of it. */
const Figure = z.custom<number>((value) => typeof value === 'number')

/** What a training run tells while it goes on. `update` counts the updates made. */
export const TrainingEvent = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('started'),
    folder: z.string(),
    /** Above 0 when an earlier start of the run is continued. */
    update: Count,
    updates: Count,
    parameters: Count,
    estimate: TrainingCost,
    /** Memory of the device in bytes; null when it does not tell. */
    deviceBytes: z.number().nullable(),
    /** What each part of the reward counts, by name; absent where there are no parts. */
    rewardWeights: z.record(z.string(), z.number()).optional(),
  }),
  z.strictObject({
    type: z.literal('progress'),
    update: Count,
    updates: Count,
    /** Mean, standard deviation and range of R over the update's samples. */
    reward: z.strictObject({ mean: Figure, spread: Figure, min: Figure, max: Figure }),
    /** Mean of each part of a mixed reward, unweighted, and of the penalties. */
    parts: z.record(z.string(), Figure),
    /** Before clipping. */
    gradientNorm: Figure,
    learningRate: z.number(),
    steps: z.array(TrainingStep).readonly(),
    /** Of this update. */
    seconds: z.number(),
    /** Seconds until the end; null before it can be told. */
    timeLeft: z.number().nullable(),
  }),
  z.strictObject({ type: z.literal('checkpoint'), update: Count, file: z.string(), best: z.boolean() }),
  z.strictObject({ type: z.literal('sample'), update: Count, files: z.array(z.string()).readonly() }),
  z.strictObject({ type: z.literal('warning'), update: Count, kind: RunWarning, message: z.string(), nextStep: z.string() }),
  z.strictObject({ type: z.literal('reward-weight'), update: Count, reward: z.string(), weight: z.number() }),
  z.strictObject({ type: z.literal('paused'), update: Count, reason: PauseReason, message: z.string(), nextStep: z.string() }),
  z.strictObject({ type: z.literal('resumed'), update: Count }),
  z.strictObject({
    type: z.literal('finished'),
    update: Count,
    adapter: z.string(),
    /** The update whose parameters the adapter holds. */
    adapterUpdate: Count,
    adapterChanged: z.boolean(),
    rewardConstant: z.boolean(),
    /** Working time of this start of the run. */
    seconds: z.number(),
    estimate: TrainingCost,
    measured: TrainingCost,
  }),
  z.strictObject({ type: z.literal('failed'), update: Count, error: ErrorMessage }),
])
export type TrainingEvent = z.infer<typeof TrainingEvent>

/** What a running training run can be told. Each takes effect between two updates. */
export const TrainingCommand = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('pause') }),
  z.strictObject({ type: z.literal('resume') }),
  /** Finish with the adapter as it is. */
  z.strictObject({ type: z.literal('stop') }),
  /** Finish with the adapter of the best checkpoint. */
  z.strictObject({ type: z.literal('stop-and-keep-best') }),
  z.strictObject({ type: z.literal('sample-now') }),
  z.strictObject({ type: z.literal('change-reward-weight'), reward: z.string(), weight: z.number() }),
])
export type TrainingCommand = z.infer<typeof TrainingCommand>

export const TrainingOutcome = z.strictObject({ outcome: z.enum(['finished', 'paused']), update: Count, adapter: z.string().nullable() })
export type TrainingOutcome = z.infer<typeof TrainingOutcome>

/** A picture that was made, and what to say to make it again. */
export const GeneratedPicture = z.strictObject({ path: z.string(), prompt: z.string(), seed: Count })
export type GeneratedPicture = z.infer<typeof GeneratedPicture>

/** Something that a detector found, in whole pixels of the upright picture. */
export const DetectedBox = z.strictObject({
  left: Count,
  top: Count,
  width: Count,
  height: Count,
  /** 0 … 1 */
  score: z.number().min(0).max(1),
  /** What it is, where the detector's file names its classes. */
  label: z.string().nullable(),
})
export type DetectedBox = z.infer<typeof DetectedBox>

/** How an adapter file is to be written; without a `dtype`, as the original is. */
/** Fewer choices between pictures tell a taste from chance too seldom. */
export const LEAST_TASTE_CHOICES = 20

/** How often choices were foretold that were not learned from, with a 95 % interval; 0 … 1. */
export const TasteAccuracy = z.strictObject({ share: z.number(), low: z.number(), high: z.number(), trials: Count })
export type TasteAccuracy = z.infer<typeof TasteAccuracy>

/** What the model takes a picture for at a step of its chain: the clean picture that its prediction means there. */
export const PreviewPicture = z.strictObject({
  /** Steps made before it. */
  step: Count,
  /** Of the noise schedule: 1 is pure noise, 0 the clean picture. */
  fraction: z.number().min(0).max(1),
  /** A PNG file. */
  png: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
})
export type PreviewPicture = z.infer<typeof PreviewPicture>

const AdapterTarget = { out: Path, format: AdapterFormat, dtype: Precision.optional() }

/** A figure with its standard error; NaN where there are too few draws for one. */
const Estimated = z.strictObject({ value: z.number().or(z.nan()), standardError: z.number().or(z.nan()) })

/** The same as the engine's own type, which the handler's return type is checked against. */
export const EstimatorFigures = z.strictObject({
  label: z.string(),
  biased: z.string().nullable(),
  draws: Count,
  meanNorm: Estimated,
  variance: Estimated,
  cosine: Estimated.nullable(),
  share: Estimated.nullable(),
  forwards: z.number(),
  vjps: z.number(),
  seconds: z.number(),
  varianceSeconds: Estimated,
})
export type EstimatorFigures = z.infer<typeof EstimatorFigures>

/** What `estimator.measure` finds. */
export const EstimatorTable = z.strictObject({
  parameters: Count,
  steps: Count,
  figures: z.array(EstimatorFigures),
  /** Label of the unbiased estimator with the least variance × seconds; null where none is unbiased. */
  best: z.string().nullable(),
})
export type EstimatorTable = z.infer<typeof EstimatorTable>

/** A share of trials, with Wilson's 95 % interval; NaN of none. */
const Share = z.strictObject({ successes: Count, trials: Count, share: z.number().or(z.nan()), low: z.number(), high: z.number() })

/** A picture as judge and critic see it. */
export const JudgedPicture = z.strictObject({
  /** Index of its prompt. */
  prompt: Count,
  /** Makes the same picture in `model.generate`. */
  seed: Count,
  /** By the judge: the fingers of a well-formed hand, `'3'` … `'8'`, or `ill-formed`, or `no hand`. */
  outcome: z.string(),
  /** What the judge calls the colours of background and skin; null for what no skin looks like. */
  background: z.string(),
  skin: z.string().nullable(),
  /** The critic's probability of five fingers, and its most probable class. */
  score: z.number(),
  reading: z.string(),
})
export type JudgedPicture = z.infer<typeof JudgedPicture>

/** One model in an evaluation: the base or an adapter, with or without a template. */
export const EvaluatedArm = z.strictObject({
  label: z.string(),
  pictures: z.array(JudgedPicture),
  /** Mean ΔE between the pictures of each prompt that has several. */
  diversity: z.array(z.number()),
  seconds: z.number(),
})
export type EvaluatedArm = z.infer<typeof EvaluatedArm>

/** How often something holds of an arm's pictures, by the judge. */
export const ArmSummary = z.strictObject({
  label: z.string(),
  pictures: Count,
  /** Pictures by outcome. */
  outcomes: z.record(z.string(), Count),
  /** Well-formed hands with five fingers: the figure that results are quoted by. */
  five: Share,
  wellFormed: Share,
  noHand: Share,
  /** Pictures whose background, and whose skin, is what the prompt asks for. */
  background: Share,
  skin: Share,
  colours: z.array(z.strictObject({ of: z.enum(['background', 'skin']), word: z.string(), right: Share })),
  /** The critic's mean score. */
  score: Estimated,
  /** Pictures that the critic sees five fingers in where the judge does, and does not where not. */
  agreement: Share,
  /** Well-formed hands whose number of fingers both read alike. */
  countAgreement: Share,
  /** Mean ΔE between pictures of one prompt. */
  diversity: Estimated,
})
export type ArmSummary = z.infer<typeof ArmSummary>

/** Pictures of which something has become true, or is no longer, and the exact two-sided p of McNemar's test. */
const Flips = z.strictObject({ gained: Count, lost: Count, p: z.number() })

/** What changed between pictures of the same prompts and noises. */
export const PairedChange = z.strictObject({
  five: Flips,
  wellFormed: Flips,
  background: Flips,
  skin: Flips,
  agreement: Flips,
  colours: z.array(z.strictObject({ of: z.enum(['background', 'skin']), word: z.string(), flips: Flips })),
  /** Mean of the differences. */
  score: Estimated,
  diversity: Estimated,
  /** How much more the critic's score rose than the judge's rate: what of its rise the judge does not see. */
  unseen: Estimated,
  /** Outcome before → after, and in how many pictures. */
  transitions: z.array(z.strictObject({ from: z.string(), to: z.string(), count: Count })),
})
export type PairedChange = z.infer<typeof PairedChange>

/** The schemas of one job. */
export interface JobSchema {
  readonly request: z.ZodType
  readonly progress: z.ZodType
  readonly result: z.ZodType
  /** What it can be told while it runs; nothing by default. */
  readonly command?: z.ZodType
}
export type JobSchemas = Readonly<Record<string, JobSchema>>

/** Everything the engine's process does when asked. */
export const ENGINE_JOBS = {
  /** Probes one device in this process, which a bad driver may take down: see `probeDevices` for all of them. */
  'devices.probe': {
    request: z.strictObject({ device: Device }),
    progress: z.strictObject({ step: ProbeStep }),
    result: DeviceRecord,
  },
  /** What a model is, from its configs and headers, and whether its weights are complete and finite, from reading them once. */
  'model.inspect': {
    request: z.strictObject({ path: Path }),
    /** The component whose weights are being read. */
    progress: ComponentSummary.pick({ name: true, bytes: true }),
    result: ModelSummary,
  },
  /** Computes the outputs of a cases file again and compares. */
  'model.check': {
    request: z.strictObject({
      model: Path,
      cases: Path,
      device: Device,
      precision: Precision,
      /** Only outputs whose name begins with this. */
      only: z.string().optional(),
    }),
    progress: CheckLine,
    result: CheckReport,
  },
  /** Token ids by a model's tokenizer, or by the standard one for `clip`. */
  'model.tokenize': {
    request: z.strictObject({ source: Path, texts: z.array(z.string()).min(1) }),
    progress: z.never(),
    result: z.array(z.strictObject({ text: z.string(), ids: z.array(Count) })),
  },
  /** Time and memory of a UNet's forward pass and gradient. Ask a fresh process: memory figures include what was done before. */
  'model.bench': {
    request: z.strictObject({
      /** A standard size with random weights, or a model of one's own. */
      config: z.union([StandardConfig, z.strictObject({ model: Path })]),
      latent: z.int().min(1),
      batch: z.int().min(1),
      device: Device,
      precision: Precision,
      recomputation: Recomputation,
      /** Measured runs of each kind, after one that is not counted. */
      runs: z.int().min(1),
      /** An existing folder for random weights (up to 10 GB). The caller removes it: this process may be killed before it could. */
      scratch: Path,
    }),
    progress: z.strictObject({ stage: BenchStage }),
    result: BenchResult,
  },
  /** Writes pictures of prompts as PNG files with their recipe in them. Nothing is ever overwritten. */
  'model.generate': {
    request: z.strictObject({
      model: Path,
      prompts: z.array(z.string()).min(1),
      negative: z.string().optional(),
      adapters: z.array(z.strictObject({ path: Path, strength: z.number() })),
      /** A template's file, or the name of one that comes with the program. */
      template: z.strictObject({ source: Path, slots: z.record(z.string(), z.string()) }).optional(),
      /** The seed of each prompt's first picture; the others' follow. */
      seed: Count,
      /** Pictures per prompt: 1 by default, or as many as there are latents. */
      count: z.int().min(1).optional(),
      sampler: SamplerName,
      /** 50 by default, or as many as there are noises. */
      steps: z.int().min(1).optional(),
      guidance: z.number().min(0),
      /** 0 by default, 1 where noises are given. */
      eta: z.number().min(0).max(1).optional(),
      /** Pixels; the size that the model was trained at by default. */
      size: z.strictObject({ width: z.int().min(1), height: z.int().min(1) }).optional(),
      /** A .safetensors file with `latents` [b, c, h, w] and perhaps `noise` [steps, b, c, h, w]. */
      latents: Path.optional(),
      device: Device,
      precision: Precision,
      /** The folder to write to. */
      out: Path,
    }),
    /** Steps done of the picture being made; `path` when it has been written. */
    progress: z.strictObject({ picture: Count, pictures: Count, step: Count, steps: Count, path: z.string().nullable() }),
    result: z.strictObject({
      pictures: z.array(GeneratedPicture),
      /** What the person should know, one sentence each. */
      notes: z.array(z.string()),
    }),
  },
  /** Draws the masked part of a picture anew and writes variants as PNG files with their recipe in them. The source stays. */
  'model.repair': {
    request: z.strictObject({
      model: Path,
      /** A PNG, JPEG or WebP file. */
      picture: Path,
      /** A PNG file of the same proportions: white is drawn anew. */
      mask: Path,
      /** How far the mask's edge fades in, in pixels of the picture, inwards. */
      feather: z.number().min(0).max(1000),
      /** How far around the mask the model sees, in the mask's longer sides; the whole picture when left out. */
      context: z.number().min(0).max(100).optional(),
      /** How much of the chain is run: 1 draws from noise alone, 0 changes nothing. */
      strength: z.number().min(0).max(1),
      prompt: z.string(),
      negative: z.string().optional(),
      adapters: z.array(z.strictObject({ path: Path, strength: z.number() })),
      template: z.strictObject({ source: Path, slots: z.record(z.string(), z.string()) }).optional(),
      /** Of the first variant; the others' follow. */
      seed: Count,
      count: z.int().min(1),
      sampler: SamplerName,
      /** Of the whole chain. */
      steps: z.int().min(1),
      guidance: z.number().min(0),
      eta: z.number().min(0).max(1).optional(),
      device: Device,
      precision: Precision,
      /** The folder to write to. */
      out: Path,
    }),
    /** Steps done of the variant being made; `path` when it has been written. */
    progress: z.strictObject({ picture: Count, pictures: Count, step: Count, steps: Count, path: z.string().nullable() }),
    result: z.strictObject({
      pictures: z.array(GeneratedPicture),
      /** What the person should know, one sentence each. */
      notes: z.array(z.string()),
    }),
  },
  /** What a detector of the YOLO kind finds in a picture, surest first. */
  'picture.detect': {
    request: z.strictObject({
      /** An ONNX file. */
      detector: Path,
      picture: Path,
      /** Nothing with a lower score is told. */
      confidence: z.number().min(0).max(1),
    }),
    progress: z.never(),
    result: z.strictObject({ boxes: z.array(DetectedBox) }),
  },
  /** What the judge of the starter's hands sees in pictures, in their order. */
  'pictures.judge': {
    request: z.strictObject({ pictures: z.array(Path) }),
    progress: z.never(),
    result: z.array(z.strictObject({ fingers: Count, wellFormed: z.boolean() })),
  },
  'adapter.inspect': {
    request: z.strictObject({ path: Path }),
    progress: z.never(),
    result: AdapterSummary,
  },
  /** Writes an adapter in the other format. */
  'adapter.convert': {
    request: z.strictObject({ path: Path, ...AdapterTarget }),
    progress: z.never(),
    result: AdapterSummary,
  },
  /** Writes Σ strength · adapter as one adapter; in the format of the first where none is given. */
  'adapter.merge': {
    request: z.strictObject({
      parts: z.array(z.strictObject({ path: Path, strength: z.number() })).min(1),
      /** Rank to reduce every module to; without it the merge is exact and ranks add up. */
      rank: z.int().min(1).optional(),
      ...AdapterTarget,
      format: AdapterFormat.optional(),
    }),
    progress: z.never(),
    /** `keptEnergy`: the share of Σ ‖ΔW‖² that a reduced rank keeps. */
    result: z.strictObject({ summary: AdapterSummary, keptEnergy: z.number() }),
  },
  /** Measures gradient estimators on the chain of a recipe, at the parameters that a run of it would begin with. */
  'estimator.measure': {
    request: z.strictObject({
      /** JSON of a recipe: chain, prompts, reward and adapter are taken from it. */
      recipe: z.unknown(),
      /** Relative paths in the recipe begin here. */
      recipeFolder: Path.optional(),
      /** In place of the recipe's. */
      model: Path.optional(),
      /** Two at least: there is no variance in one. */
      draws: z.int().min(2),
      device: Device,
    }),
    progress: z.strictObject({ label: z.string(), draw: Count }),
    result: EstimatorTable,
  },
  /** Writes an ONNX model with its gradient: the output `gradient.<x>` for every x of `wrt`. */
  'onnx.grad': {
    request: z.strictObject({
      path: Path,
      output: z.string(),
      wrt: z.array(z.string()).min(1),
      /** Sizes for axes that the model leaves open, by their names. */
      dimensions: z.record(z.string(), z.int().min(1)),
      out: Path,
    }),
    progress: z.never(),
    /** What the written model takes and gives. */
    result: z.strictObject({ inputs: z.array(TensorSignature), outputs: z.array(TensorSignature) }),
  },
  /** The templates that come with the program, by name. */
  'template.builtIn': {
    request: z.strictObject({}),
    progress: z.never(),
    result: z.array(z.strictObject({ key: z.string(), template: Json })),
  },
  /** A template complete with its defaults. */
  'template.check': {
    request: z.strictObject({ template: z.unknown() }),
    progress: z.never(),
    result: z.strictObject({ template: Json }),
  },
  /** A reward complete with its defaults. Opens none of the files it names. */
  'reward.check': {
    request: z.strictObject({ reward: z.unknown() }),
    progress: z.never(),
    result: z.strictObject({ reward: Json }),
  },
  /** What a reward says of pictures. */
  'reward.test': {
    request: z.strictObject({
      reward: z.unknown(),
      pictures: z.array(z.strictObject({ path: Path, prompt: z.string() })).min(1),
      device: Device,
      precision: Precision,
    }),
    /** Pictures done. */
    progress: z.strictObject({ done: Count }),
    /** In the order of the pictures; by part as each part gave it, not yet weighed. */
    result: z.array(z.strictObject({ value: z.number(), parts: z.record(z.string(), z.number()) })),
  },
  /** Learns from comparisons of pictures which of them a person likes, and writes it as a reward. */
  'taste.train': {
    request: z.strictObject({
      /** Picture files. */
      pictures: z.array(Path),
      /** `left` and `right` are places among the pictures. */
      ratings: z.array(z.strictObject({ left: Count, right: Count, preferred: z.enum(['left', 'right', 'neither']) })),
      /** A CLIP model whose embeddings are learned on; Halfstep's own small features when left out. */
      clip: Path.optional(),
      device: Device,
      precision: Precision,
      /** The folder to write to. */
      out: Path,
    }),
    /** Pictures looked at. */
    progress: z.strictObject({ done: Count }),
    result: z.strictObject({
      /** An .onnx file that takes pictures; with `clip` the .safetensors head that goes with it. */
      file: z.string(),
      /** Ratings that preferred a picture. */
      choices: Count,
      accuracy: TasteAccuracy,
    }),
  },
  /** Draws one picture with a template, and tells what the model takes it for on the way. */
  'template.preview': {
    request: z.strictObject({
      model: Path,
      template: z.unknown(),
      slots: z.record(z.string(), z.string()),
      prompt: z.string(),
      negative: z.string().optional(),
      seed: Count,
      sampler: SamplerName,
      steps: z.int().min(1),
      guidance: z.number().min(0),
      /** Pictures on the way at most, spread over the schedule. */
      pictures: z.int().min(1),
      /** Longer side of the pictures told, in pixels at most. */
      side: z.int().min(1),
      device: Device,
      precision: Precision,
    }),
    progress: z.strictObject({ step: Count, steps: Count, picture: PreviewPicture.nullable() }),
    result: z.strictObject({ notes: z.array(z.string()) }),
  },
  /** The sizes that training would cut pictures to, and for each picture the place of its size among them. */
  'dataset.buckets': {
    request: z.strictObject({
      pictures: z.array(z.strictObject({ width: z.int().min(1), height: z.int().min(1) })),
      /** Side of the square whose area all sizes have about, in pixels; a multiple of the granularity. */
      resolution: z.int().min(1),
      granularity: z.int().min(1),
      /** Longer over shorter side at most. */
      largestAspect: z.number().min(1),
    }),
    progress: z.never(),
    result: z.strictObject({
      sizes: z.array(z.strictObject({ width: Count, height: Count })),
      places: z.array(Count),
    }),
  },
  /** A recipe complete with its defaults. Opens none of the files it names. */
  'recipe.check': {
    request: z.strictObject({ recipe: z.unknown() }),
    progress: z.never(),
    result: z.strictObject({ recipe: Json }),
  },
  /** Opens everything a recipe needs, measures a little, and tells what a run of it would take. */
  'train.estimate': {
    request: z.strictObject({
      recipe: z.unknown(),
      /** Relative paths in the recipe begin here. */
      recipeFolder: Path.optional(),
      device: Device,
      /** An existing folder for what is computed on the way. The caller removes it. */
      scratch: Path,
    }),
    progress: z.never(),
    result: z.strictObject({
      updates: Count,
      parameters: Count,
      cost: TrainingCost,
      /** Memory of the device in bytes; null when it does not tell. */
      deviceBytes: z.number().nullable(),
      /** Names of the parts of the reward, whose weights can be changed while the run goes on. */
      rewardParts: z.array(z.string()),
      /** What the person should know, one sentence each. */
      notes: z.array(z.string()),
    }),
  },
  /** Starts a training run, or continues the one in the folder. */
  'train.run': {
    request: z.strictObject({
      /** Of the run; made where there is none. */
      folder: Path,
      /** JSON of a recipe; what the folder holds when left out. */
      recipe: z.unknown().optional(),
      /** Relative paths in the recipe begin here. */
      recipeFolder: Path.optional(),
      device: Device,
      /** Whether a paused run waits for a command, or ends the job, to be continued by another. */
      whenPaused: z.enum(['wait', 'end']),
    }),
    progress: TrainingEvent,
    result: TrainingOutcome,
    command: TrainingCommand,
  },
  /** Draws the same prompts from the same noises by the starter as it is and with adapters, and has judge and critic look at them. */
  'starter.evaluate': {
    request: z.strictObject({
      model: Path,
      /** The critic's ONNX file. */
      critic: Path,
      arms: z
        .array(
          z.strictObject({
            label: z.string().min(1),
            /** None for the model as it is. */
            adapters: z.array(z.strictObject({ path: Path, strength: z.number() })),
            template: z.strictObject({ source: Path, slots: z.record(z.string(), z.string()) }).optional(),
            /** A PNG file to write all of its pictures to, side by side. */
            sheet: Path.optional(),
          }),
        )
        .min(1),
      prompts: z.array(z.string()).min(1),
      /** Per arm: picture i is of prompt i mod prompts, from the seed `seed` + i. */
      pictures: z.int().min(1),
      seed: Count,
      sampling: z.strictObject({ steps: z.int().min(1), eta: z.number().min(0).max(1), guidance: z.number().min(0) }),
      /** Pictures drawn at once. */
      batch: z.int().min(1).default(32),
      device: Device,
      threads: z.int().min(1).optional(),
    }),
    /** Pictures drawn and judged of an arm. */
    progress: z.strictObject({ label: z.string(), done: Count, pictures: Count }),
    result: z.strictObject({
      arms: z.array(EvaluatedArm),
      summaries: z.array(ArmSummary),
      /** Of every arm but the first, against the first. */
      changes: z.array(PairedChange),
    }),
  },
} as const satisfies JobSchemas

/** Request, progress, result and commands of each job of a table. */
export type JobsOf<J extends JobSchemas> = {
  readonly [N in keyof J]: {
    readonly request: z.output<J[N]['request']>
    readonly progress: z.output<J[N]['progress']>
    readonly result: z.output<J[N]['result']>
    readonly command: J[N] extends { readonly command: infer C extends z.ZodType } ? z.output<C> : never
  }
}
export type EngineJobs = JobsOf<typeof ENGINE_JOBS>
export type JobName = keyof EngineJobs

const JobId = z.int().nonnegative()

/** The messages from the host to the engine. There is none to cancel a job: a run blocks its thread, so the process is killed. */
export const ToEngine = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('request'), id: JobId, job: z.string(), request: z.unknown() }),
  /** For a job that runs; one that has ended meanwhile misses nothing. */
  z.strictObject({ type: z.literal('command'), id: JobId, command: z.unknown() }),
])
export type ToEngine = z.infer<typeof ToEngine>

/** The messages from the engine to the host. */
export const FromEngine = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('progress'), id: JobId, progress: z.unknown() }),
  z.strictObject({ type: z.literal('result'), id: JobId, result: z.unknown() }),
  /** With an id, that job failed; without, a message could not be read or the process is about to end. */
  z.strictObject({ type: z.literal('error'), id: JobId.nullable(), error: ErrorMessage }),
  z.strictObject({ type: z.literal('log'), text: z.string() }),
])
export type FromEngine = z.infer<typeof FromEngine>
