/** Fields that schemas of several jobs share. */
import { z } from 'zod'

export const Count = z.int().nonnegative()

export const Path = z.string().min(1)

/** An object whose insides are for others to judge. */
export const Json = z.record(z.string(), z.unknown())

/** A figure with its standard error; NaN where there are too few draws for one. */
export const Estimated = z.strictObject({ value: z.number().or(z.nan()), standardError: z.number().or(z.nan()) })

/** An adapter file, and how strongly it counts. */
export const WeightedAdapter = z.strictObject({ path: Path, strength: z.number() })

/** A template's file, or the name of one that comes with the program, and what its slots say. */
export const TemplateUse = z.strictObject({ source: Path, slots: z.record(z.string(), z.string()) })
