/** An error on its way between processes. */
import { z } from 'zod'
import type { ErrorValue } from '../errors.ts'

const ErrorFields = z.strictObject({
  code: z.string(),
  message: z.string(),
  nextStep: z.string(),
  details: z.record(z.string(), z.unknown()),
})

function isErrorValue(value: unknown): value is ErrorValue {
  return ErrorFields.safeParse(value).success
}

export const ErrorMessage = z.custom<ErrorValue>(isErrorValue)
