import { HalfstepError } from '../../errors.ts'
import { malformedOnnx } from './malformed.ts'
import type { OnnxValueInfo } from './schema.ts'

/** Sizes of open axes, by the name the model gives them (`width`) or by place (`pixels:3`); the place decides when both are given. */
export type Dimensions = Readonly<Record<string, number>>

/** Names under which exporters leave the batch open. */
const BATCH = /^(n|b|bs|.*batch.*)$/i

/**
 * The shape of an input with every open axis given a size. A leading axis without a name, or named like a batch, is 1 unless
 * `dimensions` say otherwise. Throws `usage`, naming the axis, when a size is missing or is no positive integer.
 */
export function inputShape(info: OnnxValueInfo, dimensions: Dimensions, file: string): number[] {
  const name = info.name ?? ''
  const dims = info.type?.tensorType?.shape?.dim
  if (dims === undefined) throw malformedOnnx(file, `its input ${name} declares no shape`)
  return dims.map(({ dimValue, dimParam }, axis) => {
    // Exporters of old wrote an open axis as 0 or −1.
    if (dimValue !== undefined && dimValue > 0) return dimValue
    const parameter = dimParam ?? ''
    const given = own(dimensions, `${name}:${axis}`) ?? own(dimensions, parameter)
    if (given !== undefined) return checkedSize(given, name, axis, file)
    if (axis === 0 && (parameter === '' || BATCH.test(parameter))) return 1
    throw openAxis(name, axis, parameter, file)
  })
}

function own(dimensions: Dimensions, key: string): number | undefined {
  return Object.hasOwn(dimensions, key) ? dimensions[key] : undefined
}

function checkedSize(size: number, input: string, axis: number, file: string): number {
  if (Number.isSafeInteger(size) && size > 0) return size
  throw new HalfstepError(
    'usage',
    `Axis ${axis} of the input ${input} of ${file} cannot have the size ${size}.`,
    'Give a positive integer.',
  )
}

function openAxis(input: string, axis: number, parameter: string, file: string): HalfstepError {
  const key = parameter === '' ? `${input}:${axis}` : parameter
  const called = parameter === '' ? '' : ` (${parameter})`
  return new HalfstepError(
    'usage',
    `${file} leaves the size of axis ${axis}${called} of its input ${input} open.`,
    `Give it with --dimension ${key}=SIZE.`,
    { file, input, axis, dimension: key },
  )
}
