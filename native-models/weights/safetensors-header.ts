import { bytesPerElement, type DType } from '../../main/engine/tensor/dtype.ts'
import { formatShape, type Shape } from '../../main/engine/tensor/shape.ts'
import { checkHeaderText } from './header-text.ts'

/** What a safetensors header says of one tensor; offsets count from the end of the header. */
export interface HeaderEntry {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly begin: number
  readonly end: number
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>
  readonly tensors: readonly HeaderEntry[]
}

/** The reference reader's limit: a larger header is an attack or an accident. */
export const MAX_HEADER_BYTES = 100_000_000

export const METADATA_KEY = '__metadata__'

const DTYPES: ReadonlyMap<string, DType> = new Map<string, DType>([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U64', 'uint64'],
  ['U32', 'uint32'],
  ['U16', 'uint16'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
])

const OTHER_DTYPES: ReadonlySet<string> = new Set([
  'C64',
  'F8_E8M0',
  'F8_E5M2',
  'F8_E4M3',
  'F8_E5M2FNUZ',
  'F8_E4M3FNUZ',
  'F6_E2M3',
  'F6_E3M2',
  'F4',
])

const DTYPE_NAMES: ReadonlyMap<DType, string> = new Map([...DTYPES].map(([name, dtype]) => [dtype, name]))

/** How safetensors spells an element type. */
export function safetensorsName(dtype: DType): string {
  return DTYPE_NAMES.get(dtype) ?? dtype
}

/** A rule of the format that a header breaks; the sentence completes "<file> is not a valid safetensors file: …". */
export class HeaderError extends Error {}

/** A tensor of a type that the format knows and Halfstep does not: 8-bit floats and the like. */
export class UnreadableType extends Error {
  readonly tensor: string
  readonly spelling: string

  constructor(tensor: string, spelling: string) {
    super(`tensor ${tensor} is stored as ${spelling}`)
    this.tensor = tensor
    this.spelling = spelling
  }
}

/**
 * Reads and checks a header as the reference implementation does (huggingface/safetensors, `tensor.rs`), and refuses
 * duplicate keys besides: tensors lie end to end from 0 to `dataBytes`, each as long as its shape and type say.
 * Throws {@link HeaderError} or {@link UnreadableType}.
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number): Header {
  const parsed = parseJson(decode(bytes))
  const metadata = readMetadata(parsed.get(METADATA_KEY))
  parsed.delete(METADATA_KEY)
  const tensors = [...parsed].map(([name, value]) => readEntry(name, value))
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end)
  checkCoverage(tensors, dataBytes)
  return { metadata, tensors }
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] !== 0x7b) throw new HeaderError('its header does not start with "{"')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new HeaderError('its header is not valid UTF-8')
  }
}

/** The header's members as a Map, in which a key like `__proto__` is a key like any other. */
function parseJson(text: string): Map<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new HeaderError('its header is not valid JSON')
  }
  const fault = checkHeaderText(text)
  if (fault !== undefined) throw new HeaderError(fault)
  return membersOf(value, 'its header')
}

function membersOf(value: unknown, what: string): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new HeaderError(`${what} is not a JSON object`)
  return new Map<string, unknown>(Object.entries(value))
}

function readMetadata(value: unknown): Map<string, string> {
  const metadata = new Map<string, string>()
  if (value === undefined || value === null) return metadata
  for (const [key, text] of membersOf(value, 'its metadata')) {
    if (typeof text !== 'string') throw new HeaderError(`its metadata ${key} is not a text`)
    metadata.set(key, text)
  }
  return metadata
}

function readEntry(name: string, value: unknown): HeaderEntry {
  const members = membersOf(value, `the entry of tensor ${name}`)
  for (const key of members.keys()) {
    if (!ENTRY_KEYS.has(key)) throw new HeaderError(`the entry of tensor ${name} has the unknown key ${key}`)
  }
  const dtype = readDType(name, members.get('dtype'))
  const shape = sizes(members.get('shape'))
  if (shape === undefined) throw new HeaderError(`tensor ${name} has no valid shape`)
  const [begin, end, ...rest] = sizes(members.get('data_offsets')) ?? []
  if (begin === undefined || end === undefined || rest.length > 0 || end < begin) {
    throw new HeaderError(`tensor ${name} has no valid data_offsets`)
  }
  const bytes = shape.reduce(multiply, bytesPerElement(dtype))
  if (bytes === undefined) throw new HeaderError(`tensor ${name} has a shape whose size overflows`)
  if (bytes !== end - begin) {
    const stored = `${end - begin} bytes are stored`
    throw new HeaderError(`tensor ${name} (${formatShape(shape)}, ${dtype}) needs ${bytes} bytes, but ${stored}`)
  }
  return { name, dtype, shape, begin, end }
}

function readDType(name: string, spelling: unknown): DType {
  if (typeof spelling !== 'string') throw new HeaderError(`tensor ${name} has no element type`)
  const dtype = DTYPES.get(spelling)
  if (dtype !== undefined) return dtype
  if (OTHER_DTYPES.has(spelling)) throw new UnreadableType(name, spelling)
  throw new HeaderError(`tensor ${name} has the unknown element type ${spelling}`)
}

const ENTRY_KEYS: ReadonlySet<string> = new Set(['dtype', 'shape', 'data_offsets'])

/** An array of non-negative integers that JavaScript holds exactly. */
function sizes(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined
  const numbers = value.filter((item): item is number => Number.isSafeInteger(item) && item >= 0)
  return numbers.length === value.length ? numbers : undefined
}

/** Product of sizes; undefined once it is no longer exact, even if a zero follows (the reference reader does likewise). */
function multiply(product: number | undefined, size: number): number | undefined {
  const result = product === undefined ? undefined : product * size
  return Number.isSafeInteger(result) ? result : undefined
}

/** Tensors must lie end to end and fill the file: anything else is damage, or room for something hidden. */
function checkCoverage(tensors: readonly HeaderEntry[], dataBytes: number): void {
  let position = 0
  for (const { name, begin, end } of tensors) {
    if (begin < position) throw new HeaderError(`tensor ${name} overlaps the one before it`)
    if (begin > position) throw new HeaderError(`there is a hole of ${begin - position} bytes before tensor ${name}`)
    if (end > dataBytes) throw new HeaderError(`tensor ${name} reaches ${end - dataBytes} bytes past the end of the file`)
    position = end
  }
  if (position < dataBytes) throw new HeaderError(`${dataBytes - position} bytes at its end belong to no tensor`)
}
