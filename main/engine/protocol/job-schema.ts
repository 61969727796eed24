/** What a job takes, reports and gives, as schemas, and the types that follow from them. */
import type { z } from 'zod'

/** The schemas of one job. */
export interface JobSchema {
  readonly request: z.ZodType
  readonly progress: z.ZodType
  readonly result: z.ZodType
  /** What it can be told while it runs; nothing by default. */
  readonly command?: z.ZodType
}

export type JobSchemas = Readonly<Record<string, JobSchema>>

/** Request, progress, result and commands of each job of a table. */
export type JobsOf<J extends JobSchemas> = {
  readonly [N in keyof J]: {
    readonly request: z.output<J[N]['request']>
    readonly progress: z.output<J[N]['progress']>
    readonly result: z.output<J[N]['result']>
    readonly command: J[N] extends { readonly command: infer C extends z.ZodType } ? z.output<C> : never
  }
}
