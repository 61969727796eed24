/** Pictures: drawn, repaired, looked at. */
import { z } from 'zod'
import { Device, Precision } from './devices.ts'
import { Count, Path, TemplateUse, WeightedAdapter } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

/** How the chain from noise to picture is walked. */
export const SamplerName = z.enum(['ddim', 'dpmpp', 'euler'])
export type SamplerName = z.infer<typeof SamplerName>

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

/** What every drawing of pictures is told. */
const Drawing = {
  model: Path,
  negative: z.string().optional(),
  adapters: z.array(WeightedAdapter),
  template: TemplateUse.optional(),
  sampler: SamplerName,
  guidance: z.number().min(0),
  device: Device,
  precision: Precision,
  /** The folder to write to. */
  out: Path,
}

/** Steps done of the picture being made; `path` when it has been written. */
const DrawingProgress = z.strictObject({ picture: Count, pictures: Count, step: Count, steps: Count, path: z.string().nullable() })

const DrawnPictures = z.strictObject({
  pictures: z.array(GeneratedPicture),
  /** What the person should know, one sentence each. */
  notes: z.array(z.string()),
})

export const PICTURE_JOBS = {
  /** Writes pictures of prompts as PNG files with their recipe in them. Nothing is ever overwritten. */
  'model.generate': {
    request: z.strictObject({
      ...Drawing,
      prompts: z.array(z.string()).min(1),
      /** The seed of each prompt's first picture; the others' follow. */
      seed: Count,
      /** Pictures per prompt: 1 by default, or as many as there are latents. */
      count: z.int().min(1).optional(),
      /** 50 by default, or as many as there are noises. */
      steps: z.int().min(1).optional(),
      /** 0 by default, 1 where noises are given. */
      eta: z.number().min(0).max(1).optional(),
      /** Pixels; the size that the model was trained at by default. */
      size: z.strictObject({ width: z.int().min(1), height: z.int().min(1) }).optional(),
      /** A .safetensors file with `latents` [b, c, h, w] and perhaps `noise` [steps, b, c, h, w]. */
      latents: Path.optional(),
    }),
    progress: DrawingProgress,
    result: DrawnPictures,
  },
  /** Draws the masked part of a picture anew and writes variants as PNG files with their recipe in them. The source stays. */
  'model.repair': {
    request: z.strictObject({
      ...Drawing,
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
      /** Of the first variant; the others' follow. */
      seed: Count,
      count: z.int().min(1),
      /** Of the whole chain. */
      steps: z.int().min(1),
      eta: z.number().min(0).max(1).optional(),
    }),
    progress: DrawingProgress,
    result: DrawnPictures,
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
} as const satisfies JobSchemas
