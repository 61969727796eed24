import { z } from 'zod'
import { off, parseConfig, size, unsupported } from './config-file.ts'

/** What the UNet's output means: the noise ε, or the velocity v = √ᾱ·ε − √(1−ᾱ)·x₀. */
export type PredictionType = 'epsilon' | 'v_prediction'

/** The noise schedule a model was trained with, normalised. */
export interface SchedulerConfig {
  readonly numTrainTimesteps: number
  readonly betaStart: number
  readonly betaEnd: number
  readonly betaSchedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2'
  /** One β per timestep, where they are given instead of a schedule. */
  readonly trainedBetas?: readonly number[]
  readonly predictionType: PredictionType
  /** ᾱ before the first timestep: 1 when true, ᾱ of timestep 0 when false. */
  readonly setAlphaToOne: boolean
  readonly stepsOffset: number
  readonly timestepSpacing: 'leading' | 'trailing' | 'linspace'
  /** Rescale β so that the last timestep is pure noise (zero terminal signal-to-noise ratio). */
  readonly rescaleBetasZeroSnr: boolean
  /** The predicted x₀ is clipped to ±clipSampleRange. */
  readonly clipSample: boolean
  readonly clipSampleRange: number
}

/** Keys of diffusers' schedulers; defaults of DDIM where the classes differ (see below). */
const schema = z.object({
  _class_name: z.string().default('DDIMScheduler'),
  num_train_timesteps: size.default(1000),
  beta_start: z.number().positive().default(0.0001),
  beta_end: z.number().positive().max(1).default(0.02),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']).default('linear'),
  trained_betas: z.array(z.number().min(0).max(1)).nullish(),
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  set_alpha_to_one: z.boolean().optional(),
  steps_offset: z.int().min(0).max(1000).default(0),
  timestep_spacing: z.enum(['leading', 'trailing', 'linspace']).optional(),
  rescale_betas_zero_snr: z.boolean().nullable().default(false),
  clip_sample: z.boolean().optional(),
  clip_sample_range: z.number().positive().default(1),
  thresholding: off,
  variance_type: z.enum(['fixed_small', 'fixed_small_log', 'fixed_large', 'fixed_large_log']).nullish(),
})

/** Schedulers whose default is to clip the predicted x₀, and to space timesteps from the first on. */
const CLIPPING = new Set(['DDIMScheduler', 'DDPMScheduler'])
const LEADING = new Set([...CLIPPING, 'PNDMScheduler'])

/** Formulations whose noise levels are not those of a variance-preserving chain. */
const OTHER_NOISE = /^(EDM|FlowMatch)/

/**
 * Checks and normalises a scheduler_config.json of any sampler: only the noise schedule is taken from it.
 * Throws `config.malformed` or `config.unsupported`, naming `file`, the key and its value.
 */
export function parseSchedulerConfig(raw: unknown, file: string): SchedulerConfig {
  const config = parseConfig(schema, raw, file)
  if (OTHER_NOISE.test(config._class_name)) throw unsupported(file, '_class_name', config._class_name)
  if (config.trained_betas != null && config.trained_betas.length !== config.num_train_timesteps) {
    throw unsupported(file, 'num_train_timesteps', config.num_train_timesteps)
  }
  return {
    numTrainTimesteps: config.num_train_timesteps,
    betaStart: config.beta_start,
    betaEnd: config.beta_end,
    betaSchedule: config.beta_schedule,
    ...(config.trained_betas == null ? {} : { trainedBetas: config.trained_betas }),
    predictionType: config.prediction_type,
    setAlphaToOne: config.set_alpha_to_one ?? config._class_name === 'DDIMScheduler',
    stepsOffset: config.steps_offset,
    timestepSpacing: config.timestep_spacing ?? (LEADING.has(config._class_name) ? 'leading' : 'linspace'),
    rescaleBetasZeroSnr: config.rescale_betas_zero_snr ?? false,
    clipSample: config.clip_sample ?? CLIPPING.has(config._class_name),
    clipSampleRange: config.clip_sample_range,
  }
}
